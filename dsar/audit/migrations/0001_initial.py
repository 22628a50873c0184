from django.db import migrations, models

import dsar.lib.uuid7


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="AuditEvent",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=dsar.lib.uuid7.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("chain", models.UUIDField()),
                ("seq", models.PositiveBigIntegerField()),
                ("at", models.DateTimeField()),
                ("action", models.CharField(max_length=60)),
                ("actor_kind", models.CharField(max_length=20)),
                ("actor_id", models.UUIDField(null=True)),
                ("controller_id", models.UUIDField(null=True)),
                ("case_id", models.UUIDField(null=True)),
                ("data", models.JSONField(default=dict)),
                ("prev", models.BinaryField()),
                ("hash", models.BinaryField()),
            ],
            options={
                "db_table": "audit_event",
                "indexes": [
                    models.Index(fields=["controller_id", "-at"], name="audit_event_recent"),
                    models.Index(fields=["case_id", "seq"], name="audit_event_case"),
                ],
                "constraints": [models.UniqueConstraint(fields=("chain", "seq"), name="audit_event_place")],
            },
        ),
        migrations.CreateModel(
            name="AuditHead",
            fields=[
                ("chain", models.UUIDField(primary_key=True, serialize=False)),
                ("controller_id", models.UUIDField(null=True)),
                ("seq", models.PositiveBigIntegerField()),
                ("hash", models.BinaryField()),
            ],
            options={
                "db_table": "audit_head",
            },
        ),
    ]
