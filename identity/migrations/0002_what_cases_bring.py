import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import dsar.lib.uuid7


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("cases", "0001_initial"),
        ("identity", "0001_initial"),
        ("vault", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="AccessToken",
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
                    "purpose",
                    models.CharField(
                        choices=[
                            ("follow", "find one's request from a letter or mail"),
                            ("session", "be in the portal after a code was accepted"),
                            ("download", "fetch a pack once, right after a code was accepted"),
                            ("inquiry", "answer for a source as its owner"),
                        ],
                        max_length=20,
                    ),
                ),
                ("token_hash", models.BinaryField(unique=True)),
                (
                    "subject_request",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="tokens",
                        to="cases.subjectrequest",
                    ),
                ),
                (
                    "target_id",
                    models.UUIDField(
                        help_text="what it opens of the request: a delivery, an inquiry", null=True
                    ),
                ),
                (
                    "party",
                    models.CharField(
                        db_default="requester",
                        default="requester",
                        help_text="whoever asked, or the person for whom a representative did",
                        max_length=10,
                    ),
                ),
                (
                    "level",
                    models.PositiveSmallIntegerField(
                        default=0, help_text="the level of identity reached with it"
                    ),
                ),
                ("created_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField()),
                ("used_at", models.DateTimeField(null=True)),
                ("revoked_at", models.DateTimeField(null=True)),
            ],
            options={
                "indexes": [
                    models.Index(fields=["subject_request", "purpose"], name="identity_token_by_request")
                ],
            },
        ),
        migrations.CreateModel(
            name="Verification",
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
                    "subject_request",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="verifications",
                        to="cases.subjectrequest",
                    ),
                ),
                (
                    "subject",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="verifications",
                        to="cases.datasubject",
                    ),
                ),
                ("method", models.CharField(help_text="code of an installed method", max_length=30)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("open", "open"),
                            ("achieved", "achieved"),
                            ("failed", "failed"),
                            ("retracted", "taken back"),
                        ],
                        default="open",
                        max_length=30,
                    ),
                ),
                (
                    "level",
                    models.PositiveSmallIntegerField(
                        choices=[(0, "none"), (1, "low"), (2, "substantial"), (3, "high")], default=0
                    ),
                ),
                (
                    "address_on_file",
                    models.BooleanField(
                        help_text="whether a source system confirmed the address; empty while unknown",
                        null=True,
                    ),
                ),
                (
                    "progress",
                    models.BinaryField(help_text="the state that the method wants remembered", null=True),
                ),
                (
                    "policy",
                    models.ForeignKey(
                        help_text="in force when it was achieved; empty: the house's own",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="identity.identitypolicy",
                    ),
                ),
                (
                    "contact_reference",
                    models.CharField(
                        blank=True,
                        db_default="",
                        help_text="of the call or chat in which it was done",
                        max_length=80,
                    ),
                ),
                (
                    "evidence_code",
                    models.CharField(blank=True, help_text="what was seen, as a code", max_length=60),
                ),
                (
                    "recorded_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("started_at", models.DateTimeField()),
                ("ended_at", models.DateTimeField(null=True)),
            ],
            options={
                "indexes": [models.Index(fields=["subject_request"], name="identity_verif_by_request")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("state", "achieved"), ("level", 0), _connector="OR"),
                        name="identity_verif_level_when_achieved",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="ExternalCheck",
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
                    "provider",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="checks",
                        to="identity.identityprovider",
                    ),
                ),
                (
                    "verification",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="external_check",
                        to="identity.verification",
                    ),
                ),
                (
                    "stage",
                    models.CharField(
                        choices=[
                            ("starting", "the provider is being asked"),
                            ("open", "waits for the customer"),
                            ("verified", "verified"),
                            ("refused", "not verified"),
                            ("expired", "expired at the provider"),
                            ("unanswered", "ended without a result"),
                            ("cancelled", "cancelled"),
                        ],
                        default="starting",
                        max_length=20,
                    ),
                ),
                ("reason", models.CharField(blank=True, help_text="code: why it ended so", max_length=40)),
                (
                    "session_hash",
                    models.BinaryField(help_text="keyed hash of the provider's id of it", null=True),
                ),
                ("session", models.BinaryField(blank=True, default=b"")),
                ("address", models.BinaryField(blank=True, default=b"")),
                ("asked_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField(help_text="nobody asks for its result after that")),
                (
                    "told_at",
                    models.DateTimeField(help_text="the moment that the newest news speaks of", null=True),
                ),
                (
                    "looks",
                    models.PositiveSmallIntegerField(default=0, help_text="how often the provider was asked"),
                ),
                ("ended_at", models.DateTimeField(null=True)),
                (
                    "ended_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("stage__in", ("starting", "open"))),
                        fields=["controller", "expires_at"],
                        name="identity_external_living",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("controller", "provider", "session_hash"),
                        name="identity_external_session_once",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="IdentityDocument",
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
                    "verification",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="document",
                        to="identity.verification",
                    ),
                ),
                (
                    "key",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="vault.vaultkey"
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("passport", "Passport"),
                            ("identity_card", "Identity card"),
                            ("driving_licence", "Driving licence"),
                        ],
                        max_length=20,
                    ),
                ),
                (
                    "stage",
                    models.CharField(
                        choices=[
                            ("waiting", "waits for a look"),
                            ("more", "more was asked for"),
                            ("accepted", "accepted"),
                            ("refused", "refused"),
                            ("lapsed", "destroyed without a look"),
                        ],
                        default="waiting",
                        max_length=20,
                    ),
                ),
                (
                    "reason",
                    models.CharField(
                        blank=True, help_text="code: why it was refused, or what is missing", max_length=40
                    ),
                ),
                ("reading", models.BinaryField(help_text="the zone's text, and who read it", null=True)),
                ("sent_at", models.DateTimeField()),
                (
                    "decided_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("decided_at", models.DateTimeField(null=True)),
                (
                    "keep_until",
                    models.DateTimeField(help_text="the pictures are destroyed then at the latest"),
                ),
                ("destroyed_at", models.DateTimeField(null=True)),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("destroyed_at", None)),
                        fields=["controller", "keep_until"],
                        name="identity_document_to_destroy",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="OneTimeCode",
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
                    "verification",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="codes",
                        to="identity.verification",
                    ),
                ),
                ("code_hash", models.BinaryField(help_text="HMAC under the controller's look-up key")),
                (
                    "purpose",
                    models.CharField(
                        choices=[("verify", "verify"), ("step_up", "step up"), ("call", "call")],
                        max_length=20,
                    ),
                ),
                ("sent_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField()),
                ("tries", models.PositiveSmallIntegerField(default=0)),
                ("used_at", models.DateTimeField(null=True)),
            ],
            options={
                "indexes": [models.Index(fields=["verification", "-sent_at"], name="identity_code_latest")],
            },
        ),
        migrations.CreateModel(
            name="TextMessage",
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
                    "verification",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="texts",
                        to="identity.verification",
                    ),
                ),
                ("purpose", models.CharField(help_text="what its code is for", max_length=20)),
                (
                    "number_hash",
                    models.BinaryField(
                        help_text="HMAC under the controller's look-up key; tries are counted by it"
                    ),
                ),
                ("number", models.BinaryField(blank=True, default=b"")),
                ("text", models.BinaryField(blank=True, default=b"")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("counted", "being written"),
                            ("queued", "waiting to be sent"),
                            ("sent", "sent"),
                            ("failed", "could not be sent"),
                            ("withheld", "not sent"),
                        ],
                        max_length=10,
                    ),
                ),
                (
                    "reason",
                    models.CharField(blank=True, help_text="code: why it was not sent", max_length=40),
                ),
                ("asked_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField(help_text="its code is worth nothing after that")),
                ("ended_at", models.DateTimeField(null=True)),
            ],
            options={
                "indexes": [
                    models.Index(fields=["controller", "asked_at"], name="identity_text_recent"),
                    models.Index(fields=["verification"], name="identity_text_by_check"),
                ],
            },
        ),
        migrations.CreateModel(
            name="DocumentPicture",
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
                    "document",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="pictures",
                        to="identity.identitydocument",
                    ),
                ),
                (
                    "file",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="vault.storedfile"
                    ),
                ),
                ("quality", models.JSONField(default=dict, help_text="faults as codes, and measures")),
                ("added_at", models.DateTimeField()),
            ],
            options={
                "ordering": ["added_at", "id"],
            },
        ),
        migrations.CreateModel(
            name="ExternalEvent",
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
                    "provider",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="events",
                        to="identity.identityprovider",
                    ),
                ),
                (
                    "check_of",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="events",
                        to="identity.externalcheck",
                    ),
                ),
                ("event_hash", models.BinaryField()),
                ("session_hash", models.BinaryField()),
                ("by_message", models.BooleanField(help_text="false: found when the provider was asked")),
                ("outcome", models.CharField(help_text="in our own words", max_length=20)),
                ("at", models.DateTimeField(help_text="when it happened, as the provider says")),
                ("received_at", models.DateTimeField()),
                (
                    "effect",
                    models.CharField(
                        choices=[
                            ("waiting", "not looked at yet"),
                            ("applied", "counted"),
                            ("nothing_new", "nothing new"),
                            ("out_of_order", "older than what was known"),
                            ("late", "too late: recorded only"),
                            ("unknown", "of no check that is known here"),
                        ],
                        default="waiting",
                        max_length=20,
                    ),
                ),
            ],
            options={
                "ordering": ["received_at", "id"],
                "indexes": [
                    models.Index(
                        condition=models.Q(("check_of", None)),
                        fields=["controller", "received_at"],
                        name="identity_external_unknown",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("controller", "provider", "event_hash"), name="identity_external_event_once"
                    )
                ],
            },
        ),
    ]
