import django.db.models.deletion
from django.db import migrations, models

import dsar.lib.uuid7


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="VaultKey",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=dsar.lib.uuid7.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("controller_id", models.UUIDField(null=True)),
                (
                    "purpose",
                    models.CharField(
                        choices=[
                            ("collected", "what was collected for a case"),
                            ("case_file", "a case's own file: letters, decisions, messages"),
                            ("request", "a subject request"),
                            ("person", "a data subject"),
                            ("controller", "a controller's credentials"),
                            ("lookup", "a controller's blind index"),
                            ("staff", "staff's second factors"),
                            ("evidence", "pictures of an identity document"),
                        ],
                        max_length=20,
                    ),
                ),
                ("wrapped", models.BinaryField(null=True)),
                ("master_version", models.PositiveIntegerField()),
                ("created_at", models.DateTimeField()),
                ("destroyed_at", models.DateTimeField(null=True)),
            ],
            options={
                "db_table": "vault_key",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("destroyed_at__isnull", False), ("wrapped__isnull", True)),
                            models.Q(("destroyed_at__isnull", True), ("wrapped__isnull", False)),
                            _connector="OR",
                        ),
                        name="vault_key_destroyed_or_wrapped",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("purpose__in", ["controller", "lookup"])),
                        fields=("controller_id", "purpose"),
                        name="vault_key_one_per_controller",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("purpose", "staff")),
                        fields=("purpose",),
                        name="vault_key_one_for_staff",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="StoredFile",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=dsar.lib.uuid7.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("controller_id", models.UUIDField()),
                (
                    "key",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="vault.vaultkey"
                    ),
                ),
                ("sealed_key", models.BinaryField()),
                ("name", models.BinaryField(default=b"", help_text="as the person who gave it called it")),
                ("media_type", models.CharField(max_length=100)),
                ("size", models.PositiveBigIntegerField(help_text="bytes, decrypted")),
                (
                    "sha256",
                    models.CharField(help_text="of the decrypted content, in hexadecimal", max_length=64),
                ),
                ("stored_at", models.DateTimeField()),
            ],
            options={
                "db_table": "vault_file",
            },
        ),
    ]
