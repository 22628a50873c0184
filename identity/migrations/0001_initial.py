import django.contrib.postgres.fields
import django.core.validators
import django.db.models.deletion
import django.db.models.functions.text
from django.conf import settings
from django.db import migrations, models

import dsar.lib.uuid7


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("vault", "0001_initial"),
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
        migrations.CreateModel(
            name="Controller",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=dsar.lib.uuid7.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("slug", models.SlugField(unique=True)),
                ("name", models.CharField(help_text="as customers know the brand", max_length=120)),
                ("legal_name", models.CharField(help_text="as the law knows the controller", max_length=200)),
                ("postal_address", models.TextField(blank=True)),
                ("privacy_email", models.EmailField(max_length=254)),
                ("privacy_phone", models.CharField(blank=True, max_length=40)),
                (
                    "dpo_contact",
                    models.TextField(blank=True, help_text="how the data protection officer is reached"),
                ),
                ("privacy_notice_url", models.URLField(blank=True)),
                (
                    "regime",
                    models.CharField(
                        help_text="code of the law that sets the clock, as UK-ENG", max_length=20
                    ),
                ),
                (
                    "region",
                    models.CharField(blank=True, help_text="subdivision for public holidays", max_length=10),
                ),
                ("time_zone", models.CharField(default="Europe/London", max_length=60)),
                (
                    "phone_region",
                    models.CharField(
                        default="GB", help_text="where numbers without prefix are", max_length=2
                    ),
                ),
                ("language", models.CharField(default="en-gb", max_length=10)),
                (
                    "languages",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=10), default=list, size=None
                    ),
                ),
                ("logo", models.CharField(blank=True, help_text="path below static/", max_length=200)),
                (
                    "accent",
                    models.CharField(
                        default="#1f4f8f",
                        max_length=7,
                        validators=[
                            django.core.validators.RegexValidator(
                                "^#[0-9a-fA-F]{6}$", "Write a colour as # and six hexadecimal digits."
                            )
                        ],
                    ),
                ),
                (
                    "target_days",
                    models.PositiveSmallIntegerField(
                        default=21, help_text="internal target, days after receipt"
                    ),
                ),
                (
                    "grace_days",
                    models.PositiveSmallIntegerField(
                        db_default=7,
                        default=7,
                        help_text="between the approval of an erasure and its being carried out: the customer can still cancel",
                    ),
                ),
                (
                    "reminders",
                    models.JSONField(
                        db_default=models.Value({}, models.JSONField()),
                        default=dict,
                        help_text="when staff are warned; {}: as usual",
                    ),
                ),
                (
                    "code_minutes",
                    models.PositiveSmallIntegerField(default=10, help_text="how long a one-time code lives"),
                ),
                (
                    "pack_days",
                    models.PositiveSmallIntegerField(default=30, help_text="how long a pack can be fetched"),
                ),
                (
                    "statement",
                    models.JSONField(default=dict, help_text="facts of the Article 15(1) statement"),
                ),
                ("is_active", models.BooleanField(default=True)),
            ],
            options={
                "ordering": ["name"],
            },
        ),
        migrations.CreateModel(
            name="SignOnProvider",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=dsar.lib.uuid7.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("slug", models.SlugField(unique=True)),
                ("name", models.CharField(help_text="as staff know it, on the button", max_length=80)),
                ("issuer", models.URLField(max_length=300)),
                ("client_id", models.CharField(max_length=200)),
                (
                    "key",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="vault.vaultkey"
                    ),
                ),
                ("client_secret", models.BinaryField(blank=True, default=b"")),
                (
                    "scopes",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=120), blank=True, default=list, size=None
                    ),
                ),
                ("groups_claim", models.CharField(default="groups", max_length=120)),
                (
                    "second_factor_acr",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=200), blank=True, default=list, size=None
                    ),
                ),
                (
                    "second_factor_amr",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=120), blank=True, default=list, size=None
                    ),
                ),
                (
                    "unknown_people",
                    models.CharField(
                        choices=[
                            ("refuse", "nobody comes in who was not linked before"),
                            (
                                "link",
                                "somebody known is linked by the address that the provider has verified",
                            ),
                            (
                                "make",
                                "as link; and whoever is in a group that gives a role becomes a member of staff",
                            ),
                        ],
                        default="refuse",
                        max_length=10,
                    ),
                ),
                ("clock_skew_seconds", models.PositiveSmallIntegerField(default=60)),
                ("allow_private", models.BooleanField(default=False, help_text="it is in a private network")),
                ("is_active", models.BooleanField(default=True)),
            ],
            options={
                "ordering": ["name"],
            },
        ),
        migrations.CreateModel(
            name="Team",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=dsar.lib.uuid7.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("name", models.CharField(max_length=120, unique=True)),
            ],
            options={
                "ordering": ["name"],
            },
        ),
        migrations.CreateModel(
            name="User",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=dsar.lib.uuid7.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("password", models.CharField(max_length=128, verbose_name="password")),
                ("last_login", models.DateTimeField(blank=True, null=True, verbose_name="last login")),
                ("email", models.EmailField(max_length=254, unique=True)),
                ("full_name", models.CharField(max_length=120)),
                ("is_active", models.BooleanField(default=True)),
                (
                    "is_principal",
                    models.BooleanField(default=False, help_text="acts in drills, and can never sign in"),
                ),
                ("language", models.CharField(default="en-gb", max_length=10)),
                ("away_until", models.DateField(blank=True, null=True)),
                (
                    "cover",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="covers",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("joined_at", models.DateTimeField(auto_now_add=True)),
                (
                    "left_at",
                    models.DateTimeField(
                        help_text="noted by upkeep once the account is found inactive", null=True
                    ),
                ),
            ],
            options={
                "ordering": ["full_name"],
                "constraints": [
                    models.UniqueConstraint(
                        django.db.models.functions.text.Lower("email"), name="identity_user_email_once"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="CalendarFeed",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=dsar.lib.uuid7.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "user",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="calendar_feed",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("token_hash", models.BinaryField(unique=True)),
                ("made_at", models.DateTimeField()),
                ("read_at", models.DateTimeField(help_text="when a calendar last asked", null=True)),
                (
                    "hour_from",
                    models.DateTimeField(
                        help_text="since when the reads of this hour are counted", null=True
                    ),
                ),
                ("hour_reads", models.PositiveIntegerField(default=0)),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="CustomerLogin",
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
                    "name",
                    models.CharField(help_text="as customers know the account, on the button", max_length=80),
                ),
                ("issuer", models.CharField(max_length=300)),
                ("client_id", models.CharField(max_length=200)),
                (
                    "key",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="vault.vaultkey"
                    ),
                ),
                ("client_secret", models.BinaryField(blank=True, default=b"")),
                (
                    "scopes",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=120), blank=True, default=list, size=None
                    ),
                ),
                ("email_claim", models.CharField(blank=True, default="email", max_length=120)),
                ("phone_claim", models.CharField(blank=True, default="phone_number", max_length=120)),
                (
                    "external_id_claim",
                    models.CharField(
                        blank=True, help_text="which claim is the customer number; sub may be", max_length=120
                    ),
                ),
                ("level", models.PositiveSmallIntegerField(default=2, help_text="1 low, 2 substantial")),
                ("level_by_acr", models.JSONField(blank=True, default=dict)),
                ("clock_skew_seconds", models.PositiveSmallIntegerField(default=60)),
                ("allow_private", models.BooleanField(default=False, help_text="it is in a private network")),
                ("is_active", models.BooleanField(default=True)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("controller",), name="identity_one_customer_login")
                ],
            },
        ),
        migrations.CreateModel(
            name="Emergency",
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
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "key",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="vault.vaultkey"
                    ),
                ),
                ("reason", models.BinaryField(default=b"")),
                ("started_at", models.DateTimeField()),
                ("ends_at", models.DateTimeField()),
                ("ended_at", models.DateTimeField(null=True)),
                (
                    "seen_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("seen_at", models.DateTimeField(null=True)),
            ],
            options={
                "ordering": ["-started_at"],
                "indexes": [models.Index(fields=["controller", "ends_at"], name="identity_emergency_open")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("seen_by", None),
                            models.Q(("seen_by", models.F("user")), _negated=True),
                            _connector="OR",
                        ),
                        name="identity_emergency_seen_by_another",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("ends_at__gte", models.F("started_at"))),
                        name="identity_emergency_ends",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="IdentityPolicy",
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
                ("version", models.PositiveIntegerField()),
                ("content", models.JSONField()),
                (
                    "issued_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("issued_at", models.DateTimeField()),
            ],
            options={
                "ordering": ["version"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("controller", "version"), name="identity_policy_version_once"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="IdentityProvider",
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
                ("name", models.CharField(help_text="as customers read it", max_length=80)),
                ("options", models.JSONField(help_text="how it is spoken with: docs/identity-provider.md")),
                (
                    "key",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="vault.vaultkey"
                    ),
                ),
                ("secrets", models.BinaryField(default=b"")),
                ("is_active", models.BooleanField(default=True)),
                ("tried_at", models.DateTimeField(help_text="when the connection was tried last", null=True)),
                (
                    "tried_code",
                    models.CharField(blank=True, db_default="", help_text="what came of it", max_length=40),
                ),
                ("heard_at", models.DateTimeField(help_text="when a message was believed last", null=True)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("controller",), name="identity_one_provider_each")
                ],
            },
        ),
        migrations.CreateModel(
            name="Invitation",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=dsar.lib.uuid7.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="invitations",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("token_hash", models.BinaryField(unique=True)),
                (
                    "removes_second_factor",
                    models.BooleanField(default=False, help_text="for who has lost phone and codes"),
                ),
                ("made_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField()),
                ("used_at", models.DateTimeField(null=True)),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="Membership",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=dsar.lib.uuid7.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "team",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="memberships",
                        to="identity.team",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="memberships",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "role",
                    models.CharField(
                        choices=[
                            ("agent", "Agent"),
                            ("handler", "Handler"),
                            ("dpo", "Data protection officer"),
                            ("reviewer", "Controller's reviewer"),
                            ("administrator", "Administrator"),
                            ("auditor", "Auditor"),
                            ("break_glass", "Emergency access"),
                        ],
                        max_length=20,
                    ),
                ),
                (
                    "extra",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(
                            choices=[
                                ("log_request", "log_request"),
                                ("view_case", "view_case"),
                                ("view_content", "view_content"),
                                ("work", "work"),
                                ("record_identity", "record_identity"),
                                ("assign", "assign"),
                                ("correct", "correct"),
                                ("approve", "approve"),
                                ("approve_for_controller", "approve_for_controller"),
                                ("waive_source", "waive_source"),
                                ("release_control", "release_control"),
                                ("legal_hold", "legal_hold"),
                                ("classify", "classify"),
                                ("oversee", "oversee"),
                                ("administer", "administer"),
                                ("read_trail", "read_trail"),
                                ("break_glass", "break_glass"),
                            ],
                            max_length=40,
                        ),
                        blank=True,
                        default=list,
                        size=None,
                    ),
                ),
                (
                    "withheld",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(
                            choices=[
                                ("log_request", "log_request"),
                                ("view_case", "view_case"),
                                ("view_content", "view_content"),
                                ("work", "work"),
                                ("record_identity", "record_identity"),
                                ("assign", "assign"),
                                ("correct", "correct"),
                                ("approve", "approve"),
                                ("approve_for_controller", "approve_for_controller"),
                                ("waive_source", "waive_source"),
                                ("release_control", "release_control"),
                                ("legal_hold", "legal_hold"),
                                ("classify", "classify"),
                                ("oversee", "oversee"),
                                ("administer", "administer"),
                                ("read_trail", "read_trail"),
                                ("break_glass", "break_glass"),
                            ],
                            max_length=40,
                        ),
                        blank=True,
                        default=list,
                        size=None,
                    ),
                ),
                (
                    "granted_by",
                    models.ForeignKey(
                        blank=True,
                        help_text="whose group gives it, taken anew at each sign-in; empty for what an operator gave",
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="identity.signonprovider",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("team", "user", "role"), name="identity_membership_once"),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "role__in",
                                [
                                    "agent",
                                    "handler",
                                    "dpo",
                                    "reviewer",
                                    "administrator",
                                    "auditor",
                                    "break_glass",
                                ],
                            )
                        ),
                        name="identity_membership_role",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="RecoveryCode",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=dsar.lib.uuid7.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="recovery_codes",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("code_hash", models.BinaryField()),
                ("used_at", models.DateTimeField(null=True)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("user", "code_hash"), name="identity_recovery_code_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="Session",
            fields=[
                (
                    "session_key",
                    models.CharField(
                        max_length=40, primary_key=True, serialize=False, verbose_name="session key"
                    ),
                ),
                ("session_data", models.TextField(verbose_name="session data")),
                ("expire_date", models.DateTimeField(db_index=True, verbose_name="expire date")),
                (
                    "user",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="sessions",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "session",
                "verbose_name_plural": "sessions",
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="SignOnGroup",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=dsar.lib.uuid7.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "provider",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="groups",
                        to="identity.signonprovider",
                    ),
                ),
                ("group", models.CharField(max_length=200)),
                (
                    "team",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="identity.team"
                    ),
                ),
                (
                    "role",
                    models.CharField(
                        choices=[
                            ("agent", "Agent"),
                            ("handler", "Handler"),
                            ("dpo", "Data protection officer"),
                            ("reviewer", "Controller's reviewer"),
                            ("administrator", "Administrator"),
                            ("auditor", "Auditor"),
                            ("break_glass", "Emergency access"),
                        ],
                        max_length=20,
                    ),
                ),
                (
                    "extra",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(
                            choices=[
                                ("log_request", "log_request"),
                                ("view_case", "view_case"),
                                ("view_content", "view_content"),
                                ("work", "work"),
                                ("record_identity", "record_identity"),
                                ("assign", "assign"),
                                ("correct", "correct"),
                                ("approve", "approve"),
                                ("approve_for_controller", "approve_for_controller"),
                                ("waive_source", "waive_source"),
                                ("release_control", "release_control"),
                                ("legal_hold", "legal_hold"),
                                ("classify", "classify"),
                                ("oversee", "oversee"),
                                ("administer", "administer"),
                                ("read_trail", "read_trail"),
                                ("break_glass", "break_glass"),
                            ],
                            max_length=40,
                        ),
                        blank=True,
                        default=list,
                        size=None,
                    ),
                ),
                (
                    "withheld",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(
                            choices=[
                                ("log_request", "log_request"),
                                ("view_case", "view_case"),
                                ("view_content", "view_content"),
                                ("work", "work"),
                                ("record_identity", "record_identity"),
                                ("assign", "assign"),
                                ("correct", "correct"),
                                ("approve", "approve"),
                                ("approve_for_controller", "approve_for_controller"),
                                ("waive_source", "waive_source"),
                                ("release_control", "release_control"),
                                ("legal_hold", "legal_hold"),
                                ("classify", "classify"),
                                ("oversee", "oversee"),
                                ("administer", "administer"),
                                ("read_trail", "read_trail"),
                                ("break_glass", "break_glass"),
                            ],
                            max_length=40,
                        ),
                        blank=True,
                        default=list,
                        size=None,
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("provider", "group", "team", "role"), name="identity_sign_on_group_once"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="SignOnIdentity",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=dsar.lib.uuid7.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="sign_ons",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "provider",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="identities",
                        to="identity.signonprovider",
                    ),
                ),
                ("subject_hash", models.BinaryField(unique=True)),
                ("linked_at", models.DateTimeField()),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("user", "provider"), name="identity_one_sign_on_each")
                ],
            },
        ),
        migrations.CreateModel(
            name="SmsGateway",
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
                ("options", models.JSONField(help_text="how it is spoken with: docs/sms.md")),
                (
                    "key",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="vault.vaultkey"
                    ),
                ),
                ("secrets", models.BinaryField(default=b"")),
                ("is_active", models.BooleanField(default=True)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("controller",), name="identity_one_sms_gateway")
                ],
            },
        ),
        migrations.CreateModel(
            name="TeamController",
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
                    "team",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="serves", to="identity.team"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("team", "controller"), name="identity_team_serves_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="TotpDevice",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=dsar.lib.uuid7.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        help_text="The user that this device belongs to.",
                        on_delete=django.db.models.deletion.CASCADE,
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "name",
                    models.CharField(help_text="The human-readable name of this device.", max_length=64),
                ),
                ("confirmed", models.BooleanField(default=True, help_text="Is this device ready for use?")),
                (
                    "throttling_failure_timestamp",
                    models.DateTimeField(
                        blank=True,
                        default=None,
                        help_text="A timestamp of the last failed verification attempt. Null if last attempt succeeded.",
                        null=True,
                    ),
                ),
                (
                    "throttling_failure_count",
                    models.PositiveIntegerField(default=0, help_text="Number of successive failed attempts."),
                ),
                (
                    "key",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="vault.vaultkey"
                    ),
                ),
                ("secret", models.BinaryField(default=b"", help_text="hexadecimal")),
                ("last_step", models.BigIntegerField(default=-1, help_text="a code is good once")),
                ("made_at", models.DateTimeField(auto_now_add=True)),
            ],
            options={
                "abstract": False,
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("confirmed", True)),
                        fields=("user",),
                        name="identity_one_totp_each",
                    )
                ],
            },
        ),
        migrations.AddField(
            model_name="Team",
            name="members",
            field=models.ManyToManyField(
                related_name="teams", through="identity.Membership", to=settings.AUTH_USER_MODEL
            ),
        ),
    ]
