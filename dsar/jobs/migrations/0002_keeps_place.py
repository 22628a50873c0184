from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("jobs", "0001_initial"),
    ]

    operations = [
        migrations.AddField(
            model_name="job",
            name="keeps_place",
            field=models.BooleanField(
                db_default=False,
                default=False,
                help_text="it stood in line: of its controller's jobs it comes first",
            ),
        ),
    ]
