from django.db import migrations, models

import dsar.lib.uuid7


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="Job",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=dsar.lib.uuid7.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("controller_id", models.UUIDField()),
                ("case_id", models.UUIDField(null=True)),
                ("kind", models.CharField(max_length=40)),
                ("key", models.CharField(help_text="no two open jobs have the same", max_length=120)),
                ("args", models.JSONField(default=dict, help_text="ids and codes, never personal data")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("queued", "waiting"),
                            ("running", "running"),
                            ("done", "done"),
                            ("failed", "failed"),
                        ],
                        default="queued",
                        max_length=10,
                    ),
                ),
                ("attempts", models.PositiveIntegerField(default=0)),
                ("max_attempts", models.PositiveIntegerField(default=5)),
                (
                    "forgiven",
                    models.PositiveIntegerField(
                        db_default=0,
                        default=0,
                        help_text="attempts that do not count: the work got on, or could not begin",
                    ),
                ),
                (
                    "takes_turns",
                    models.BooleanField(
                        db_default=False,
                        default=False,
                        help_text="controllers take turns among jobs of this kind",
                    ),
                ),
                ("not_before", models.DateTimeField()),
                ("lease_until", models.DateTimeField(null=True)),
                ("published_at", models.DateTimeField(null=True)),
                ("progress", models.JSONField(default=dict)),
                ("error_code", models.CharField(blank=True, max_length=60)),
                ("created_at", models.DateTimeField()),
                ("ended_at", models.DateTimeField(null=True)),
            ],
            options={
                "db_table": "jobs_job",
                "indexes": [
                    models.Index(
                        condition=models.Q(("state__in", ["queued", "running"])),
                        fields=["not_before"],
                        name="jobs_open",
                    ),
                    models.Index(fields=["case_id", "-created_at"], name="jobs_by_case"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("state__in", ["queued", "running"])),
                        fields=("key",),
                        name="jobs_one_open_per_key",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Turn",
            fields=[
                ("controller_id", models.UUIDField(primary_key=True, serialize=False)),
                ("at", models.DateTimeField()),
            ],
            options={
                "db_table": "jobs_turn",
            },
        ),
    ]
