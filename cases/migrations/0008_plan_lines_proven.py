from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("cases", "0007_recipients_suppression"),
    ]

    operations = [
        migrations.AddField(
            model_name="plannedchange",
            name="may_write",
            field=models.BooleanField(
                db_default=False,
                default=False,
                help_text="the record itself bears the verified identity, or hangs on one that does, and is nobody else's",
            ),
        ),
        migrations.AddField(
            model_name="planpart",
            name="generation",
            field=models.PositiveIntegerField(
                db_default=0,
                default=0,
                help_text="rises with each change of its lines: which dry run is the present one",
            ),
        ),
        migrations.AddField(
            model_name="planpart",
            name="looked",
            field=models.PositiveIntegerField(
                db_default=0,
                default=0,
                help_text="lines that the present dry run has asked the source about",
            ),
        ),
        migrations.AddConstraint(
            model_name="plannedchange",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("treatment__in", ["keep", "refer", "refuse"]),
                    ("by_hand", True),
                    ("may_write", True),
                    _connector="OR",
                ),
                name="cases_line_writes_what_is_proven",
            ),
        ),
    ]
