import django.db.models.deletion
from django.db import migrations, models

import dsar.lib.uuid7


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("cases", "0001_initial"),
        ("identity", "0001_initial"),
        ("identity", "0002_what_cases_bring"),
    ]

    operations = [
        migrations.CreateModel(
            name="AskedQuestion",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=dsar.lib.uuid7.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "controller",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="identity.controller",
                    ),
                ),
                (
                    "subject",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="asked_questions",
                        to="cases.datasubject",
                    ),
                ),
                (
                    "verification",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="identity.verification",
                    ),
                ),
                (
                    "question",
                    models.CharField(
                        help_text="source and field, such as crm:customer.joined_on", max_length=200
                    ),
                ),
                ("asked_at", models.DateTimeField()),
            ],
            options={
                "indexes": [
                    models.Index(fields=["subject", "asked_at"], name="cases_asked_of_person"),
                    models.Index(fields=["controller", "asked_at"], name="cases_asked_old"),
                ],
            },
        ),
    ]
