from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("cases", "0008_owners_of_sources")]

    operations = [
        migrations.AddField(
            model_name="sourcesystem",
            name="expiry_told_for",
            field=models.DateField(
                blank=True, help_text="the end of credentials of which administrators were told", null=True
            ),
        )
    ]
