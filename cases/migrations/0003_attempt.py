"""Tries of visitors without an account are counted."""

import django.db.models.deletion
from django.db import migrations, models

import dsar.lib.uuid7


class Migration(migrations.Migration):
    dependencies = [("cases", "0002_initial"), ("identity", "0001_initial")]

    operations = [
        migrations.CreateModel(
            name="Attempt",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=dsar.lib.uuid7.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "what",
                    models.CharField(help_text="a limit of cases.portal.limits", max_length=20),
                ),
                ("who", models.BinaryField(help_text="HMAC under the controller's look-up key")),
                ("at", models.DateTimeField()),
                (
                    "controller",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="identity.controller",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["controller", "what", "who", "at"], name="cases_attempt_recent")
                ]
            },
        ),
    ]
