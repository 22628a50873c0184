from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("identity", "0004_owners_of_sources"),
    ]

    operations = [
        migrations.CreateModel(
            name="Attempt",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("what", models.CharField(help_text="a limit of identity.limits", max_length=30)),
                ("who", models.BinaryField(help_text="HMAC")),
                ("at", models.DateTimeField()),
            ],
            options={
                "indexes": [
                    models.Index(fields=["what", "who", "at"], name="identity_attempt_recent"),
                    models.Index(fields=["at"], name="identity_attempt_age"),
                ],
            },
        ),
    ]
