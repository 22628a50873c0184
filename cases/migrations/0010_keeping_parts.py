import django.contrib.postgres.fields
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("cases", "0009_other_rights"),
    ]

    operations = [
        migrations.AddField(
            model_name="keepingrule",
            name="parts",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(max_length=120),
                blank=True,
                db_default=[],
                default=list,
                help_text="record types that belong to such a record: the lines of an invoice stay with it",
                size=None,
            ),
        ),
        migrations.AddField(
            model_name="planpart",
            name="tasks",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.TextField(),
                db_default=[],
                default=list,
                help_text="what a human has to see to in the source itself, as the dry run said it",
                size=None,
            ),
        ),
    ]
