"""Items are written by the hundred thousand: only what is looked up by keeps an index, and a decision fits beside its item."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("cases", "0007_cases_under_their_policy")]

    operations = [
        migrations.AlterField(
            model_name="item",
            name="case",
            field=models.ForeignKey(
                db_index=False,
                on_delete=models.deletion.CASCADE,
                related_name="items",
                to="cases.case",
            ),
        ),
        migrations.AlterField(
            model_name="item",
            name="controller",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=models.deletion.PROTECT,
                related_name="+",
                to="identity.controller",
            ),
        ),
        migrations.AlterField(
            model_name="item",
            name="decided_by",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=models.deletion.PROTECT,
                related_name="+",
                to="identity.user",
            ),
        ),
        migrations.AlterField(
            model_name="item",
            name="source",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=models.deletion.PROTECT,
                related_name="+",
                to="cases.sourcesystem",
            ),
        ),
        # Every item is decided about once at least. The new version of its row fits into the same page, and no
        # index has to hear of it: deciding about 10,000 items takes less than half the time.
        migrations.RunSQL(
            "ALTER TABLE cases_item SET (fillfactor = 50)", "ALTER TABLE cases_item RESET (fillfactor)"
        ),
    ]
