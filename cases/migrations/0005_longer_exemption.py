from django.db import migrations, models


class Migration(migrations.Migration):
    """Room for the longest code of the picklists, LEGAL_OBLIGATION_OR_PUBLIC_TASK."""

    dependencies = [("cases", "0004_contact_note")]

    operations = [
        migrations.AlterField(
            model_name="item",
            name="exemption",
            field=models.CharField(blank=True, help_text="code of the picklist", max_length=40),
        ),
    ]
