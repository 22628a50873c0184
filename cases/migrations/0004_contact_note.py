"""Plain business done within the conversation is kept without a case."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import dsar.lib.uuid7


class Migration(migrations.Migration):
    dependencies = [
        ("cases", "0003_attempt"),
        ("identity", "0001_initial"),
        ("vault", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="ContactNote",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=dsar.lib.uuid7.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "channel",
                    models.CharField(
                        choices=[
                            ("call", "Phone call"),
                            ("chat", "Chat"),
                            ("email", "E-mail"),
                            ("letter", "Letter"),
                            ("in_person", "In person"),
                            ("social", "Social media"),
                            ("portal", "Portal"),
                        ],
                        max_length=12,
                    ),
                ),
                (
                    "contact_reference",
                    models.CharField(blank=True, help_text="of the call or chat", max_length=80),
                ),
                (
                    "summary",
                    models.BinaryField(default=b"", help_text="what was asked and done, card numbers masked"),
                ),
                ("said_at", models.DateTimeField()),
                (
                    "submission",
                    models.UUIDField(help_text="the form's own id, so that two presses note once"),
                ),
                ("noted_at", models.DateTimeField()),
                (
                    "controller",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="identity.controller",
                    ),
                ),
                (
                    "key",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="vault.vaultkey"
                    ),
                ),
                (
                    "noted_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ["-noted_at"],
                "indexes": [models.Index(fields=["controller", "-noted_at"], name="cases_contact_recent")],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("controller", "submission"), name="cases_contact_noted_once"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("said_at__lte", models.F("noted_at"))),
                        name="cases_contact_not_from_the_future",
                    ),
                ],
            },
        ),
    ]
