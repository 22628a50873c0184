import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.functions.comparison
from django.conf import settings
from django.db import migrations, models

import dsar.lib.uuid7


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("identity", "0001_initial"),
        ("vault", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="CollectionStop",
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
                        null=True,
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
                ("reason", models.BinaryField(null=True)),
                (
                    "stopped_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("stopped_at", models.DateTimeField()),
                (
                    "lifted_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("lifted_at", models.DateTimeField(null=True)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("lifted_at", None)),
                        fields=("controller",),
                        name="cases_one_stop_at_a_time",
                        nulls_distinct=False,
                    )
                ],
            },
        ),
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
                (
                    "noted_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("noted_at", models.DateTimeField()),
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
        migrations.CreateModel(
            name="DataSubject",
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
                    "key",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="vault.vaultkey"
                    ),
                ),
                ("name", models.BinaryField(default=b"")),
                ("email", models.BinaryField(default=b"")),
                ("phone", models.BinaryField(default=b"")),
                ("external_id", models.BinaryField(default=b"", help_text="customer number")),
                ("birth_date", models.BinaryField(default=b"", help_text="ISO date")),
                ("postal_address", models.BinaryField(default=b"")),
                ("language", models.CharField(default="en-gb", max_length=10)),
                (
                    "legal_hold",
                    models.BooleanField(default=False, help_text="nothing of this person is erased"),
                ),
                ("created_at", models.DateTimeField()),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="Instruction",
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
                ("rules", models.JSONField(default=dict)),
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
                        fields=("controller", "version"), name="cases_instruction_version_once"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Recipient",
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
                    "key",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="vault.vaultkey"
                    ),
                ),
                ("slug", models.SlugField()),
                ("name", models.CharField(max_length=200)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("processor", "processor"),
                            ("controller", "another controller"),
                            ("group", "company of the same group"),
                            ("public", "public body"),
                            ("other", "other"),
                        ],
                        default="processor",
                        max_length=12,
                    ),
                ),
                (
                    "route",
                    models.CharField(
                        choices=[("email", "e-mail"), ("post", "post"), ("api", "HTTP call")],
                        default="email",
                        max_length=8,
                    ),
                ),
                ("email", models.EmailField(blank=True, max_length=254)),
                ("postal_address", models.TextField(blank=True)),
                (
                    "language",
                    models.CharField(
                        blank=True, help_text="of what it is written; empty: the controller's", max_length=10
                    ),
                ),
                ("url", models.URLField(blank=True, help_text="where notices are posted to", max_length=500)),
                (
                    "secrets",
                    models.BinaryField(default=b"", help_text="token and signing_key of the HTTP call"),
                ),
                (
                    "is_private",
                    models.BooleanField(
                        default=False,
                        help_text="its address is in the operator's own network, where http is allowed too",
                    ),
                ),
                (
                    "fed_by",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.SlugField(),
                        default=list,
                        help_text="slugs of the sources whose data it gets; empty: of all",
                        size=None,
                    ),
                ),
                (
                    "finds_by",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(
                            choices=[
                                ("email", "e-mail address"),
                                ("phone", "telephone number"),
                                ("external_id", "customer number"),
                                ("name", "name"),
                            ],
                            max_length=12,
                        ),
                        default=list,
                        size=None,
                    ),
                ),
                ("expects_answer", models.BooleanField(default=True)),
                ("remind_days", models.PositiveSmallIntegerField(default=14)),
                ("is_active", models.BooleanField(default=True)),
            ],
            options={
                "ordering": ["name"],
                "constraints": [
                    models.UniqueConstraint(fields=("controller", "slug"), name="cases_recipient_slug_once"),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("route", "email"), models.Q(("email", ""), _negated=True)),
                            models.Q(("route", "post"), models.Q(("postal_address", ""), _negated=True)),
                            models.Q(("route", "api"), models.Q(("url", ""), _negated=True)),
                            _connector="OR",
                        ),
                        name="cases_recipient_can_be_reached",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Recomputation",
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
                ("law", models.CharField(max_length=64)),
                ("by_command", models.BooleanField(default=False)),
                ("begun_at", models.DateTimeField()),
                ("ended_at", models.DateTimeField(null=True)),
                ("cursor", models.UUIDField(help_text="the last case that was looked at", null=True)),
                ("examined", models.PositiveIntegerField(default=0)),
                ("moved", models.PositiveIntegerField(default=0)),
            ],
            options={
                "ordering": ["begun_at", "id"],
                "indexes": [
                    models.Index(fields=["controller", "-begun_at"], name="cases_recomputation_newest")
                ],
            },
        ),
        migrations.CreateModel(
            name="Representative",
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
                    "key",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="vault.vaultkey"
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("solicitor", "Solicitor"),
                            ("parent", "Parent or guardian"),
                            ("attorney", "Attorney or deputy"),
                            ("agent", "Authorised agent"),
                            ("elected", "Elected representative"),
                            ("executor", "Executor or heir"),
                            ("other", "Somebody else"),
                        ],
                        max_length=20,
                    ),
                ),
                ("name", models.BinaryField(default=b"")),
                ("email", models.BinaryField(default=b"")),
                ("postal_address", models.BinaryField(default=b"")),
                (
                    "authority",
                    models.BinaryField(default=b"", help_text="what they say shows that they may ask"),
                ),
                ("created_at", models.DateTimeField()),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="RetentionPolicy",
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
                (
                    "content",
                    models.JSONField(
                        help_text="by rule: keep and because, as cases.retention.chosen reads them"
                    ),
                ),
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
                        fields=("controller", "version"), name="cases_retention_version_once"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="SourceSystem",
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
                    "key",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="vault.vaultkey"
                    ),
                ),
                ("slug", models.SlugField()),
                ("name", models.CharField(max_length=120)),
                ("connector", models.CharField(help_text="key of an installed connector", max_length=60)),
                ("options", models.JSONField(default=dict)),
                ("secrets", models.BinaryField(default=b"")),
                ("dataset", models.TextField(blank=True, help_text="fideslang dataset description, YAML")),
                (
                    "facts",
                    models.JSONField(
                        default=dict, help_text="this source's part of the Article 15(1) statement"
                    ),
                ),
                (
                    "portable",
                    models.JSONField(
                        db_default=models.Value({}, models.JSONField()),
                        default=dict,
                        help_text="what of it a person can take along (Art 20(1)); {}: somebody decides",
                    ),
                ),
                (
                    "data_kinds",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=20),
                        db_default=[],
                        default=list,
                        help_text="what it holds, as a policy of identity asks; empty: ordinary",
                        size=None,
                    ),
                ),
                (
                    "owner_email",
                    models.EmailField(
                        blank=True, help_text="who is told to preserve, or asked for help", max_length=254
                    ),
                ),
                (
                    "purged_after_days",
                    models.PositiveIntegerField(
                        blank=True, help_text="recordings older than this are purged there", null=True
                    ),
                ),
                (
                    "erasing_secrets",
                    models.BinaryField(
                        help_text="credentials that may change the source; those of reading never do",
                        null=True,
                    ),
                ),
                (
                    "credentials_expire_on",
                    models.DateField(blank=True, help_text="by the administrator's own knowledge", null=True),
                ),
                (
                    "country",
                    models.CharField(
                        blank=True, db_default="", help_text="where the data lives", max_length=60
                    ),
                ),
                (
                    "safeguard",
                    models.CharField(
                        blank=True,
                        db_default="",
                        help_text="what a transfer to there rests on (Articles 45-49)",
                        max_length=300,
                    ),
                ),
                (
                    "erase_after",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.SlugField(),
                        db_default=[],
                        default=list,
                        help_text="slugs of the sources that feed this one",
                        size=None,
                    ),
                ),
                (
                    "backup_days",
                    models.PositiveIntegerField(
                        blank=True,
                        help_text="after so many days its backups are overwritten; empty: not known",
                        null=True,
                    ),
                ),
                (
                    "may_list_whole",
                    models.BooleanField(
                        db_default=False,
                        default=False,
                        help_text="paged through as a whole without asking a handler each time",
                    ),
                ),
                (
                    "is_test",
                    models.BooleanField(default=False, help_text="a test system: drills may run on it"),
                ),
                (
                    "test_persons",
                    models.JSONField(
                        default=list, help_text="keyed hashes of addresses that drills may ask for"
                    ),
                ),
                ("is_active", models.BooleanField(default=True)),
                ("paused_at", models.DateTimeField(blank=True, null=True)),
                (
                    "paused_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("pause_reason", models.BinaryField(null=True)),
                ("failures", models.PositiveIntegerField(db_default=0, default=0, help_text="in a row")),
                (
                    "held_until",
                    models.DateTimeField(
                        blank=True, help_text="after failures, or as it asked itself", null=True
                    ),
                ),
                (
                    "needs_admin_at",
                    models.DateTimeField(
                        blank=True, help_text="since when it refuses the account", null=True
                    ),
                ),
                ("trouble_code", models.CharField(blank=True, db_default="", max_length=60)),
                (
                    "trouble_text",
                    models.TextField(
                        blank=True,
                        db_default="",
                        help_text="the last trouble, without personal data, and what to do",
                    ),
                ),
                ("succeeded_at", models.DateTimeField(blank=True, null=True)),
                (
                    "expiry_told_for",
                    models.DateField(
                        blank=True,
                        help_text="the end of credentials of which administrators were told",
                        null=True,
                    ),
                ),
            ],
            options={
                "ordering": ["name"],
                "constraints": [
                    models.UniqueConstraint(fields=("controller", "slug"), name="cases_source_slug_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="SuppressionEntry",
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
                ("purpose", models.CharField(choices=[("marketing", "marketing")], max_length=12)),
                (
                    "kind",
                    models.CharField(
                        choices=[("email", "e-mail address"), ("phone", "telephone number")], max_length=8
                    ),
                ),
                (
                    "value_hash",
                    models.BinaryField(
                        help_text="of the normalised value, under the controller's look-up key"
                    ),
                ),
                (
                    "origin",
                    models.CharField(
                        choices=[
                            ("objection", "objection to marketing"),
                            ("erasure", "erasure"),
                            ("operator", "by an operator"),
                        ],
                        max_length=12,
                    ),
                ),
                ("added_at", models.DateTimeField()),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("controller", "purpose", "kind", "value_hash"), name="cases_suppressed_once"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="SuppressionToken",
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
                ("name", models.CharField(help_text="which importer uses it", max_length=120)),
                ("token_hash", models.BinaryField(unique=True)),
                ("made_at", models.DateTimeField()),
                (
                    "made_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("used_on", models.DateField(null=True)),
                ("revoked_at", models.DateTimeField(null=True)),
                (
                    "revoked_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ["-made_at"],
            },
        ),
        migrations.CreateModel(
            name="ErasedPlace",
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
                    "source",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="erased_places",
                        to="cases.sourcesystem",
                    ),
                ),
                (
                    "erasure",
                    models.UUIDField(help_text="the plan by which it was erased; ties places to identifiers"),
                ),
                ("kind", models.CharField(help_text="place, or a kind of identifier", max_length=20)),
                (
                    "collection",
                    models.CharField(
                        blank=True, help_text="the record type; empty for an identifier", max_length=120
                    ),
                ),
                ("value_hash", models.BinaryField(help_text="under the controller's look-up key")),
                (
                    "verb",
                    models.CharField(
                        blank=True, help_text="what was done, and is to be done again", max_length=20
                    ),
                ),
                (
                    "wanted",
                    models.JSONField(default=dict, help_text="by field: the strategy that made it anonymous"),
                ),
                ("erased_at", models.DateTimeField()),
                ("again_at", models.DateTimeField(help_text="when it was last erased again", null=True)),
            ],
            options={
                "indexes": [models.Index(fields=["source", "erased_at"], name="cases_erased_by_source")],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("source", "kind", "collection", "value_hash", "erasure"),
                        name="cases_erased_place_once",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="KeepingRule",
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
                ("slug", models.SlugField()),
                (
                    "source",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="cases.sourcesystem",
                    ),
                ),
                (
                    "collection",
                    models.CharField(blank=True, help_text="record type; empty: any", max_length=120),
                ),
                (
                    "parts",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=120),
                        blank=True,
                        db_default=[],
                        default=list,
                        help_text="record types that belong to such a record: the lines of an invoice stay with it",
                        size=None,
                    ),
                ),
                (
                    "category",
                    models.CharField(
                        blank=True, help_text="data category and all beneath it; empty: any", max_length=120
                    ),
                ),
                (
                    "date_field",
                    models.CharField(
                        blank=True, help_text="from which the months run; empty: for ever", max_length=120
                    ),
                ),
                ("keep_months", models.PositiveIntegerField(blank=True, null=True)),
                (
                    "treatment",
                    models.CharField(
                        choices=[
                            ("delete", "delete"),
                            ("anonymise", "anonymise"),
                            ("block", "block"),
                            ("keep", "keep"),
                            ("refer", "not ours: refer"),
                            ("correct", "correct"),
                            ("supplement", "add a statement"),
                            ("refuse", "refuse to correct"),
                            ("restrict", "restrict"),
                            ("lift", "lift the restriction"),
                        ],
                        default="keep",
                        max_length=12,
                    ),
                ),
                (
                    "exception",
                    models.CharField(blank=True, help_text="code of the picklist (Art 17(3))", max_length=40),
                ),
                (
                    "strategies",
                    models.JSONField(default=dict, help_text="by field: how it is made anonymous"),
                ),
                (
                    "words",
                    models.CharField(blank=True, help_text="why, as the letter says it", max_length=300),
                ),
            ],
            options={
                "ordering": ["slug"],
                "constraints": [
                    models.UniqueConstraint(fields=("controller", "slug"), name="cases_keeping_rule_once"),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("treatment__in", ["keep", "block"]), _negated=True),
                            models.Q(("exception", ""), _negated=True),
                            _connector="OR",
                        ),
                        name="cases_kept_by_rule_under_an_exception",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("keep_months__isnull", True),
                            models.Q(("date_field", ""), _negated=True),
                            _connector="OR",
                        ),
                        name="cases_keeping_rule_age_from_a_field",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="LegalHold",
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
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="holds",
                        to="cases.datasubject",
                    ),
                ),
                ("reason", models.BinaryField(default=b"")),
                (
                    "set_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("set_at", models.DateTimeField()),
                ("lift_reason", models.BinaryField(default=b"")),
                (
                    "lifted_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("lifted_at", models.DateTimeField(null=True)),
            ],
            options={
                "ordering": ["set_at"],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("lifted_at__isnull", True)),
                        fields=("subject",),
                        name="cases_one_open_hold",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="SourceCheck",
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
                    "source",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="checks",
                        to="cases.sourcesystem",
                    ),
                ),
                (
                    "key",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="vault.vaultkey"
                    ),
                ),
                (
                    "asked_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("asked_at", models.DateTimeField()),
                (
                    "stage",
                    models.CharField(
                        choices=[
                            ("waiting", "waiting"),
                            ("running", "running"),
                            ("good", "answers"),
                            ("bad", "does not answer as it should"),
                        ],
                        default="waiting",
                        max_length=10,
                    ),
                ),
                (
                    "candidate",
                    models.BinaryField(
                        help_text="credentials to be taken into use when they work", null=True
                    ),
                ),
                (
                    "is_for_erasing",
                    models.BooleanField(default=False, help_text="tried with the credentials for erasing"),
                ),
                ("ended_at", models.DateTimeField(null=True)),
                ("latency_ms", models.PositiveIntegerField(null=True)),
                ("account", models.BinaryField(null=True)),
                ("server", models.CharField(blank=True, max_length=200)),
                (
                    "warnings",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=300), default=list, size=None
                    ),
                ),
                ("unknown_fields", models.JSONField(default=dict, help_text="by record type, names alone")),
                ("credentials_expire_at", models.DateTimeField(null=True)),
                ("error_code", models.CharField(blank=True, max_length=60)),
                ("error_text", models.TextField(blank=True)),
            ],
            options={
                "ordering": ["-asked_at", "-id"],
                "indexes": [models.Index(fields=["source", "-asked_at"], name="cases_check_by_source")],
            },
        ),
        migrations.CreateModel(
            name="SubjectIdentifier",
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
                        related_name="identifiers",
                        to="cases.datasubject",
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("email", "email"),
                            ("phone", "phone"),
                            ("external_id", "external_id"),
                            ("name", "name"),
                            ("birth_date", "birth_date"),
                        ],
                        max_length=20,
                    ),
                ),
                ("blind", models.BinaryField()),
            ],
            options={
                "indexes": [
                    models.Index(fields=["controller", "kind", "blind"], name="cases_identifier_lookup")
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("subject", "kind", "blind"), name="cases_identifier_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="SubjectRequest",
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
                    "reference",
                    models.CharField(help_text="K7QF-2M9D; can be read out", max_length=9, unique=True),
                ),
                (
                    "subject",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="requests",
                        to="cases.datasubject",
                    ),
                ),
                (
                    "representative",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="requests",
                        to="cases.representative",
                    ),
                ),
                (
                    "key",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="vault.vaultkey"
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
                    "words",
                    models.BinaryField(default=b"", help_text="the customer's own, card numbers masked"),
                ),
                (
                    "claims",
                    models.BinaryField(
                        default=b"", help_text="for a rectification: field, what is wrong, what is right"
                    ),
                ),
                (
                    "particulars",
                    models.BinaryField(help_text="what was said beside the words, by right", null=True),
                ),
                (
                    "contact_reference",
                    models.CharField(blank=True, help_text="of the call or chat", max_length=80),
                ),
                ("received_at", models.DateTimeField(help_text="when it was said or arrived")),
                ("logged_at", models.DateTimeField()),
                (
                    "logged_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("language", models.CharField(default="en-gb", max_length=10)),
                (
                    "answer_by",
                    models.CharField(
                        choices=[("portal", "Portal, with notice by e-mail"), ("post", "Recorded post")],
                        default="portal",
                        max_length=10,
                    ),
                ),
                (
                    "script_read",
                    models.BooleanField(default=False, help_text="the agent read reference and date out"),
                ),
                (
                    "submission",
                    models.UUIDField(help_text="the form's own id, so that two presses log once", null=True),
                ),
                ("is_drill", models.BooleanField(default=False)),
            ],
            options={
                "indexes": [
                    models.Index(fields=["controller", "-logged_at"], name="cases_request_recent"),
                    models.Index(fields=["subject"], name="cases_request_by_subject"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("controller", "submission"), name="cases_request_logged_once"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("received_at__lte", models.F("logged_at"))),
                        name="cases_request_not_from_the_future",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="UnknownField",
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
                    "source",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="unknown_fields",
                        to="cases.sourcesystem",
                    ),
                ),
                ("collection", models.CharField(max_length=120)),
                ("name", models.CharField(max_length=200)),
                ("seen_at", models.DateTimeField()),
                (
                    "choice",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("disclose", "about the person: disclose"),
                            ("internal", "internal: not about the person"),
                            ("third_party", "about somebody else: withhold"),
                            ("secret", "a secret, such as a password: never show"),
                        ],
                        max_length=12,
                    ),
                ),
                ("version", models.PositiveIntegerField(default=0)),
            ],
            options={
                "ordering": ["collection", "name"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("source", "collection", "name"), name="cases_unknown_field_once"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("choice", ""), ("version", 0)),
                            models.Q(models.Q(("choice", ""), _negated=True), ("version__gt", 0)),
                            _connector="OR",
                        ),
                        name="cases_field_chosen_with_a_version",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Authority",
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
                        related_name="authorities",
                        to="cases.subjectrequest",
                    ),
                ),
                (
                    "representative",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="authorities",
                        to="cases.representative",
                    ),
                ),
                ("version", models.PositiveSmallIntegerField()),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("asked", "asked for"),
                            ("received", "received, to be judged"),
                            ("accepted", "accepted"),
                            ("refused", "refused"),
                            ("revoked", "revoked"),
                        ],
                        default="asked",
                        max_length=10,
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("solicitor", "Solicitor"),
                            ("parent", "Parent or guardian"),
                            ("attorney", "Attorney or deputy"),
                            ("agent", "Authorised agent"),
                            ("elected", "Elected representative"),
                            ("executor", "Executor or heir"),
                            ("other", "Somebody else"),
                        ],
                        max_length=20,
                    ),
                ),
                ("asked_at", models.DateTimeField(null=True)),
                (
                    "asked_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "received_at",
                    models.DateTimeField(
                        help_text="when it came in, not when somebody looked at it", null=True
                    ),
                ),
                (
                    "shown",
                    models.BinaryField(
                        default=b"", help_text="in words: what came, where no picture of it is kept"
                    ),
                ),
                (
                    "mandate",
                    models.CharField(
                        blank=True, help_text="a code of cases/law/representation.toml", max_length=40
                    ),
                ),
                (
                    "reference",
                    models.BinaryField(
                        default=b"", help_text="registration or access code, number of the order"
                    ),
                ),
                ("rights", models.JSONField(default=list, help_text="codes of the rights that it covers")),
                ("matters", models.BinaryField(default=b"", help_text="what it covers, in words")),
                ("valid_from", models.DateField(null=True)),
                ("valid_until", models.DateField(help_text="the last day; empty: until revoked", null=True)),
                (
                    "register",
                    models.BinaryField(default=b"", help_text="where it, or the firm, was looked up"),
                ),
                ("register_checked_on", models.DateField(null=True)),
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
                    "reason",
                    models.CharField(
                        blank=True, help_text="why refused or revoked, as a code", max_length=40
                    ),
                ),
                ("remark", models.BinaryField(default=b"", help_text="how it was judged, in words")),
                (
                    "answer_to",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("subject", "the person themselves"),
                            ("representative", "the representative"),
                            ("both", "both of them"),
                        ],
                        max_length=15,
                    ),
                ),
                ("answer_reason", models.BinaryField(default=b"", help_text="why the answer goes there")),
                (
                    "address_compared_at",
                    models.DateTimeField(
                        help_text="when staff compared the person's own address with the record", null=True
                    ),
                ),
                (
                    "key",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="vault.vaultkey",
                    ),
                ),
                (
                    "keep_until",
                    models.DateTimeField(help_text="when pictures of it go at the latest", null=True),
                ),
                ("destroyed_at", models.DateTimeField(null=True)),
            ],
            options={
                "ordering": ["-version"],
                "indexes": [
                    models.Index(
                        condition=models.Q(("destroyed_at", None), ("keep_until__isnull", False)),
                        fields=["controller", "keep_until"],
                        name="cases_authority_to_go",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("subject_request", "version"), name="cases_authority_version_once"
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("state__in", ["asked", "received"])),
                        fields=("subject_request",),
                        name="cases_authority_one_waits",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("state", "accepted")),
                        fields=("subject_request",),
                        name="cases_authority_one_holds",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state", "accepted"), _negated=True),
                            models.Q(
                                models.Q(("mandate", ""), _negated=True),
                                models.Q(("answer_to", ""), _negated=True),
                                models.Q(("rights", []), _negated=True),
                                ("decided_by__isnull", False),
                                ("received_at__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="cases_authority_accepted_in_full",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Case",
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
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="cases",
                        to="cases.subjectrequest",
                    ),
                ),
                (
                    "subject",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="cases",
                        to="cases.datasubject",
                    ),
                ),
                (
                    "right",
                    models.CharField(
                        choices=[
                            ("access", "Access"),
                            ("erasure", "Erasure"),
                            ("rectification", "Rectification"),
                            ("restriction", "Restriction"),
                            ("objection", "Objection"),
                            ("portability", "Portability"),
                            ("automated", "Automated decision"),
                            ("complaint", "Complaint about handling"),
                        ],
                        max_length=15,
                    ),
                ),
                ("about_marketing", models.BooleanField(default=False)),
                (
                    "ends_marketing",
                    models.BooleanField(
                        db_default=False,
                        default=False,
                        help_text="an erasure that also asks never to be advertised to again",
                    ),
                ),
                (
                    "names_recipients",
                    models.BooleanField(
                        db_default=False,
                        default=False,
                        help_text="the person asked who received their data (Article 19)",
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("received", "Received"),
                            ("awaiting_identity", "Awaiting identity"),
                            ("awaiting_clarification", "Awaiting clarification"),
                            ("awaiting_fee", "Awaiting fee"),
                            ("searching", "Searching"),
                            ("review", "Review"),
                            ("approval", "Approval"),
                            ("with_controller", "With controller"),
                            ("fulfilling", "Fulfilling"),
                            ("closed", "Closed"),
                        ],
                        default="received",
                        max_length=30,
                    ),
                ),
                (
                    "resume_state",
                    models.CharField(
                        blank=True, help_text="where a question or proposal came from", max_length=30
                    ),
                ),
                (
                    "proposed_outcome",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("fulfilled", "Fulfilled"),
                            ("partly_fulfilled", "Partly fulfilled"),
                            ("no_data_held", "No data held"),
                            ("refused", "Refused"),
                            ("withdrawn", "Withdrawn"),
                            ("identity_not_verified", "Identity not verified"),
                            ("no_reply", "No reply"),
                            ("not_a_request", "Not a rights request"),
                            ("duplicate", "Duplicate"),
                            ("transferred", "Transferred"),
                            ("logged_in_error", "Logged in error"),
                            ("upheld", "Complaint upheld"),
                            ("partly_upheld", "Complaint partly upheld"),
                            ("not_upheld", "Complaint not upheld"),
                        ],
                        max_length=30,
                    ),
                ),
                ("controller_decides", models.BooleanField(default=True)),
                (
                    "outcome",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("fulfilled", "Fulfilled"),
                            ("partly_fulfilled", "Partly fulfilled"),
                            ("no_data_held", "No data held"),
                            ("refused", "Refused"),
                            ("withdrawn", "Withdrawn"),
                            ("identity_not_verified", "Identity not verified"),
                            ("no_reply", "No reply"),
                            ("not_a_request", "Not a rights request"),
                            ("duplicate", "Duplicate"),
                            ("transferred", "Transferred"),
                            ("logged_in_error", "Logged in error"),
                            ("upheld", "Complaint upheld"),
                            ("partly_upheld", "Complaint partly upheld"),
                            ("not_upheld", "Complaint not upheld"),
                        ],
                        max_length=30,
                    ),
                ),
                (
                    "carried_out",
                    models.BooleanField(default=False, help_text="something was sent, erased or corrected"),
                ),
                ("identity_level", models.PositiveSmallIntegerField(default=0)),
                ("required_level", models.PositiveSmallIntegerField()),
                (
                    "identity_policy",
                    models.ForeignKey(
                        help_text="in force when it was asked; empty: the house's own",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="identity.identitypolicy",
                    ),
                ),
                (
                    "identity_rule",
                    models.CharField(
                        blank=True, db_default="", help_text="the rule that asks for the level", max_length=60
                    ),
                ),
                (
                    "authority",
                    models.CharField(
                        blank=True,
                        db_default="",
                        help_text="empty where none is needed, else valid or what is wrong with it",
                        max_length=20,
                    ),
                ),
                ("regime", models.CharField(max_length=20)),
                ("regime_version", models.CharField(max_length=20)),
                ("received_at", models.DateTimeField()),
                ("due_on", models.DateField(help_text="a cache of what the clock events say", null=True)),
                ("target_on", models.DateField(null=True)),
                (
                    "clock_state",
                    models.CharField(
                        default="running", help_text="as the deadline engine says", max_length=20
                    ),
                ),
                (
                    "letter_on",
                    models.DateField(
                        help_text="by when a letter with reasons is out, answered or not", null=True
                    ),
                ),
                (
                    "paused_on",
                    models.DateField(help_text="since when the clock waits for the requester", null=True),
                ),
                (
                    "urgent_on",
                    models.GeneratedField(
                        db_persist=True,
                        expression=django.db.models.functions.comparison.Coalesce(
                            models.Case(
                                models.When(
                                    clock_state__in=["paused", "not_started"],
                                    then=django.db.models.functions.comparison.Least(
                                        models.F("due_on"), models.F("letter_on")
                                    ),
                                ),
                                default=models.F("due_on"),
                            ),
                            models.F("target_on"),
                        ),
                        help_text="by when something has to be out: the answer, or a letter with reasons while nobody answers us",
                        output_field=models.DateField(null=True),
                    ),
                ),
                (
                    "proof_looked_on",
                    models.DateField(
                        help_text="the day on which an unanswered question for identity was last looked at",
                        null=True,
                    ),
                ),
                (
                    "dates_version",
                    models.PositiveIntegerField(db_default=0, default=0, help_text="rises with each move"),
                ),
                ("dates_moved_at", models.DateTimeField(null=True)),
                (
                    "owner",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="owned_cases",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "team",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="cases",
                        to="identity.team",
                    ),
                ),
                (
                    "linked_to",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="linked_from",
                        to="cases.case",
                    ),
                ),
                (
                    "collected_key",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="vault.vaultkey"
                    ),
                ),
                (
                    "file_key",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="vault.vaultkey"
                    ),
                ),
                ("opened_at", models.DateTimeField()),
                ("state_since", models.DateTimeField()),
                ("closed_at", models.DateTimeField(null=True)),
                (
                    "version",
                    models.PositiveIntegerField(
                        default=1, help_text="rises with each act; forms send it back"
                    ),
                ),
                ("is_drill", models.BooleanField(default=False)),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(models.Q(("state", "closed"), _negated=True), ("is_drill", False)),
                        fields=["controller", "urgent_on", "id"],
                        name="cases_queue",
                    ),
                    models.Index(
                        condition=models.Q(models.Q(("state", "closed"), _negated=True), ("is_drill", False)),
                        fields=["controller", "state", "urgent_on", "id"],
                        name="cases_queue_by_state",
                    ),
                    models.Index(
                        condition=models.Q(
                            models.Q(("state", "closed"), _negated=True), ("is_drill", False), ("owner", None)
                        ),
                        fields=["controller", "urgent_on", "id"],
                        name="cases_unassigned",
                    ),
                    models.Index(
                        condition=models.Q(models.Q(("state", "closed"), _negated=True), ("is_drill", False)),
                        fields=["controller", "due_on"],
                        name="cases_by_due",
                    ),
                    models.Index(
                        condition=models.Q(
                            models.Q(("state", "closed"), _negated=True),
                            ("clock_state", "running"),
                            ("is_drill", False),
                        ),
                        fields=["controller", "target_on"],
                        name="cases_by_target",
                    ),
                    models.Index(
                        condition=models.Q(
                            models.Q(("state", "closed"), _negated=True),
                            models.Q(("clock_state", "running"), _negated=True),
                            ("is_drill", False),
                        ),
                        fields=["controller", "paused_on"],
                        name="cases_waiting",
                    ),
                    models.Index(
                        condition=models.Q(("state", "closed"), _negated=True),
                        fields=["controller", "id"],
                        name="cases_open_by_id",
                    ),
                    models.Index(fields=["subject_request"], name="cases_by_request"),
                    models.Index(fields=["subject"], name="cases_by_subject"),
                    models.Index(
                        condition=models.Q(("state", "closed"), _negated=True),
                        fields=["owner", "urgent_on"],
                        name="cases_mine",
                    ),
                    models.Index(
                        condition=models.Q(("state", "closed")),
                        fields=["controller", "-closed_at"],
                        name="cases_closed",
                    ),
                    models.Index(
                        condition=models.Q(("outcome", "identity_not_verified"), ("state", "closed")),
                        fields=["controller", "id"],
                        name="cases_unverified",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("subject_request", "right"), name="cases_one_case_per_right"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "state__in",
                                [
                                    "received",
                                    "awaiting_identity",
                                    "awaiting_clarification",
                                    "awaiting_fee",
                                    "searching",
                                    "review",
                                    "approval",
                                    "with_controller",
                                    "fulfilling",
                                    "closed",
                                ],
                            )
                        ),
                        name="cases_state_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("state", "closed"),
                                models.Q(("outcome", ""), _negated=True),
                                ("closed_at__isnull", False),
                            ),
                            models.Q(
                                models.Q(("state", "closed"), _negated=True),
                                ("outcome", ""),
                                ("closed_at__isnull", True),
                            ),
                            _connector="OR",
                        ),
                        name="cases_outcome_when_closed",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("about_marketing", False),
                            models.Q(
                                models.Q(("outcome", "refused"), _negated=True),
                                models.Q(("proposed_outcome", "refused"), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="cases_marketing_objection_never_refused",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="FieldChoice",
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
                    "field",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="choices",
                        to="cases.unknownfield",
                    ),
                ),
                ("version", models.PositiveIntegerField()),
                (
                    "choice",
                    models.CharField(
                        choices=[
                            ("disclose", "about the person: disclose"),
                            ("internal", "internal: not about the person"),
                            ("third_party", "about somebody else: withhold"),
                            ("secret", "a secret, such as a password: never show"),
                        ],
                        max_length=12,
                    ),
                ),
                ("reason", models.BinaryField(default=b"")),
                (
                    "decided_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("decided_at", models.DateTimeField()),
            ],
            options={
                "ordering": ["-version"],
                "constraints": [
                    models.UniqueConstraint(fields=("field", "version"), name="cases_field_choice_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="RequestFile",
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
                        related_name="files",
                        to="cases.subjectrequest",
                    ),
                ),
                (
                    "file",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="vault.storedfile"
                    ),
                ),
                (
                    "added_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("added_at", models.DateTimeField()),
                (
                    "claim",
                    models.PositiveSmallIntegerField(
                        blank=True, help_text="the claim for which it is evidence, counted from 0", null=True
                    ),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="RequestOrigin",
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
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="origin",
                        to="cases.subjectrequest",
                    ),
                ),
                (
                    "network",
                    models.BinaryField(help_text="HMAC of the network under the controller's look-up key"),
                ),
                (
                    "language",
                    models.CharField(blank=True, help_text="that the browser asks for first", max_length=20),
                ),
                (
                    "country",
                    models.CharField(blank=True, help_text="as a trusted proxy tells it", max_length=2),
                ),
                ("at", models.DateTimeField()),
            ],
            options={
                "indexes": [
                    models.Index(fields=["controller", "network", "at"], name="cases_origin_network"),
                    models.Index(fields=["controller", "at"], name="cases_origin_age"),
                ],
            },
        ),
        migrations.CreateModel(
            name="SignalDismissal",
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
                        related_name="dismissals",
                        to="cases.subjectrequest",
                    ),
                ),
                ("code", models.CharField(help_text="of cases.signals", max_length=40)),
                (
                    "facts",
                    models.CharField(
                        help_text="digest of what the signal rested on; other facts arm it again",
                        max_length=64,
                    ),
                ),
                ("remark", models.BinaryField(default=b"")),
                (
                    "dismissed_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("dismissed_at", models.DateTimeField()),
            ],
            options={
                "ordering": ["dismissed_at"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("subject_request", "code", "facts"), name="cases_signal_dismissed_once"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="AuthorityPicture",
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
                    "authority",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="pictures",
                        to="cases.authority",
                    ),
                ),
                (
                    "file",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="vault.storedfile"
                    ),
                ),
                ("added_at", models.DateTimeField()),
            ],
            options={
                "ordering": ["added_at", "id"],
            },
        ),
        migrations.CreateModel(
            name="Balancing",
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
                    "case",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="balancings",
                        to="cases.case",
                    ),
                ),
                ("use", models.BinaryField(default=b"", help_text="the use of data that is objected to")),
                (
                    "basis",
                    models.CharField(help_text="on what the use rests, of the picklist", max_length=40),
                ),
                (
                    "reasons",
                    models.BinaryField(
                        default=b"", help_text="the person's own, from their particular situation"
                    ),
                ),
                ("grounds", models.BinaryField(default=b"", help_text="the controller's")),
                (
                    "weighing",
                    models.BinaryField(
                        default=b"", help_text="why one outweighs the other; the letter of a refusal says it"
                    ),
                ),
                ("goes_on", models.BooleanField(help_text="the use goes on: the objection is refused")),
                (
                    "exception",
                    models.CharField(
                        blank=True, help_text="under which the use goes on (Art 21(1))", max_length=40
                    ),
                ),
                (
                    "weighed_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("weighed_at", models.DateTimeField()),
            ],
            options={
                "ordering": ["weighed_at", "id"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("exception", ""), ("goes_on", False)),
                            models.Q(("goes_on", True), models.Q(("exception", ""), _negated=True)),
                            _connector="OR",
                        ),
                        name="cases_objection_refused_under_an_exception",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="ClockEvent",
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
                    "case",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="clock_events",
                        to="cases.case",
                    ),
                ),
                ("kind", models.CharField(help_text="a value of cases.deadlines.events", max_length=40)),
                ("at", models.DateTimeField(help_text="when it happened")),
                ("data", models.JSONField(default=dict, help_text="codes only")),
                ("reason", models.BinaryField(default=b"")),
                (
                    "supersedes",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="superseded_by",
                        to="cases.clockevent",
                    ),
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
                ("recorded_at", models.DateTimeField()),
            ],
            options={
                "ordering": ["at", "id"],
                "indexes": [models.Index(fields=["case", "at"], name="cases_clock_by_case")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("at__lte", models.F("recorded_at"))),
                        name="cases_clock_not_in_the_future",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="CollectionRun",
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
                    "case",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="runs", to="cases.case"
                    ),
                ),
                ("number", models.PositiveIntegerField()),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("running", "running"),
                            ("complete", "complete"),
                            ("abandoned", "abandoned"),
                        ],
                        default="running",
                        max_length=12,
                    ),
                ),
                (
                    "started_by",
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
                "constraints": [
                    models.UniqueConstraint(fields=("case", "number"), name="cases_run_number_once"),
                    models.UniqueConstraint(
                        condition=models.Q(("state", "running")), fields=("case",), name="cases_one_open_run"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="DateMove",
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
                    "case",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="date_moves",
                        to="cases.case",
                    ),
                ),
                (
                    "recomputation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="moves",
                        to="cases.recomputation",
                    ),
                ),
                ("from_on", models.DateField(null=True)),
                ("to_on", models.DateField(null=True)),
                ("moved_at", models.DateTimeField()),
                ("seen_at", models.DateTimeField(null=True)),
                (
                    "seen_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ["moved_at", "id"],
                "indexes": [
                    models.Index(
                        condition=models.Q(("seen_at", None)),
                        fields=["controller", "case"],
                        name="cases_moves_unseen",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Decision",
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
                    "case",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="decisions", to="cases.case"
                    ),
                ),
                (
                    "outcome",
                    models.CharField(
                        choices=[
                            ("fulfilled", "Fulfilled"),
                            ("partly_fulfilled", "Partly fulfilled"),
                            ("no_data_held", "No data held"),
                            ("refused", "Refused"),
                            ("withdrawn", "Withdrawn"),
                            ("identity_not_verified", "Identity not verified"),
                            ("no_reply", "No reply"),
                            ("not_a_request", "Not a rights request"),
                            ("duplicate", "Duplicate"),
                            ("transferred", "Transferred"),
                            ("logged_in_error", "Logged in error"),
                            ("upheld", "Complaint upheld"),
                            ("partly_upheld", "Complaint partly upheld"),
                            ("not_upheld", "Complaint not upheld"),
                        ],
                        max_length=30,
                    ),
                ),
                ("reason_code", models.CharField(blank=True, help_text="of the picklist", max_length=40)),
                ("reasons", models.BinaryField(default=b"", help_text="as the customer's letter gives them")),
                ("letter_subject", models.BinaryField(default=b"")),
                ("letter_body", models.BinaryField(default=b"")),
                (
                    "digest",
                    models.CharField(
                        help_text="SHA-256 of exactly what will go out or be done", max_length=64
                    ),
                ),
                (
                    "instruction",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="cases.instruction",
                    ),
                ),
                ("instruction_says", models.CharField(max_length=10)),
                (
                    "proposed_by",
                    models.ForeignKey(
                        help_text="empty: the desk by itself",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("proposed_at", models.DateTimeField()),
                (
                    "approved_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("approved_at", models.DateTimeField(null=True)),
                (
                    "controller_decided_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("controller_decided_at", models.DateTimeField(null=True)),
                (
                    "verdict",
                    models.CharField(
                        choices=[
                            ("open", "open"),
                            ("approved", "approved"),
                            ("returned", "returned"),
                            ("void", "void"),
                        ],
                        default="open",
                        max_length=10,
                    ),
                ),
                ("return_reason", models.BinaryField(default=b"")),
            ],
            options={
                "ordering": ["proposed_at"],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("verdict", "open")),
                        fields=("case",),
                        name="cases_one_open_decision",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("approved_by__isnull", True),
                                models.Q(("approved_by", models.F("proposed_by")), _negated=True),
                                _connector="OR",
                            ),
                            models.Q(
                                ("controller_decided_by__isnull", True),
                                models.Q(("controller_decided_by", models.F("proposed_by")), _negated=True),
                                _connector="OR",
                            ),
                        ),
                        name="cases_two_pairs_of_eyes",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("proposed_by__isnull", False),
                            ("outcome", "identity_not_verified"),
                            _connector="OR",
                        ),
                        name="cases_proposed_by_somebody",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("verdict", "approved"), _negated=True),
                            ("approved_by__isnull", False),
                            _connector="OR",
                        ),
                        name="cases_approved_by_somebody",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="FieldInCase",
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
                    "field",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="in_cases",
                        to="cases.unknownfield",
                    ),
                ),
                (
                    "case",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="unknown_fields",
                        to="cases.case",
                    ),
                ),
                ("applied", models.PositiveIntegerField(default=0)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("field", "case"), name="cases_field_in_case_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="Forgotten",
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
                    "case",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="forgotten", to="cases.case"
                    ),
                ),
                ("rule", models.CharField(help_text="a code of cases.retention.rules", max_length=40)),
                ("at", models.DateTimeField()),
                ("rows", models.PositiveIntegerField()),
                ("files", models.PositiveIntegerField()),
                (
                    "counts",
                    models.BinaryField(
                        help_text="of what was collected: source, decision, exemption, how many", null=True
                    ),
                ),
            ],
            options={
                "ordering": ["at", "id"],
            },
        ),
        migrations.CreateModel(
            name="Lateness",
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
                    "case",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="latenesses",
                        to="cases.case",
                    ),
                ),
                ("missed_on", models.DateField(help_text="the date by which it should have been out")),
                (
                    "reason",
                    models.CharField(
                        choices=[
                            ("volume", "Too many requests at once"),
                            ("source_unavailable", "A source system was not available"),
                            ("waiting_for_controller", "Waiting for the controller"),
                            ("waiting_for_supplier", "Waiting for a supplier"),
                            ("identity_late", "Identity was proven late"),
                            ("complexity", "The request is complex"),
                            ("staff_shortage", "Too few staff"),
                            ("error", "Our mistake"),
                            ("other", "Something else"),
                        ],
                        max_length=30,
                    ),
                ),
                (
                    "remark",
                    models.BinaryField(default=b"", help_text="in words; asked for where no code says it"),
                ),
                (
                    "given_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("given_at", models.DateTimeField()),
            ],
            options={
                "ordering": ["given_at"],
                "indexes": [models.Index(fields=["controller", "given_at"], name="cases_late_recent")],
                "constraints": [
                    models.UniqueConstraint(fields=("case", "missed_on"), name="cases_late_once_a_date")
                ],
            },
        ),
        migrations.CreateModel(
            name="Letter",
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
                        related_name="letters",
                        to="cases.subjectrequest",
                    ),
                ),
                (
                    "case",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="letters",
                        to="cases.case",
                    ),
                ),
                (
                    "key",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="vault.vaultkey"
                    ),
                ),
                ("kind", models.CharField(help_text="a kind of cases.correspondence", max_length=40)),
                ("is_incoming", models.BooleanField(default=False)),
                ("by_post", models.BooleanField(default=False)),
                ("to_requester", models.BooleanField(default=True, help_text="shown in the portal")),
                (
                    "party",
                    models.CharField(
                        choices=[("requester", "Requester"), ("subject", "Data subject")],
                        db_default="requester",
                        default="requester",
                        help_text="whose letter it is, where a representative asked",
                        max_length=10,
                    ),
                ),
                ("language", models.CharField(max_length=10)),
                ("address", models.BinaryField(default=b"", help_text="e-mail or postal")),
                ("title", models.BinaryField(default=b"")),
                ("body", models.BinaryField(default=b"")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("queued", "waiting to be sent"),
                            ("sent", "sent"),
                            ("failed", "could not be sent"),
                            ("bounced", "bounced"),
                            ("to_print", "to be printed and posted"),
                            ("received", "received"),
                        ],
                        max_length=10,
                    ),
                ),
                ("error_code", models.CharField(blank=True, max_length=60)),
                ("tracking", models.CharField(blank=True, max_length=60)),
                (
                    "written_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("written_at", models.DateTimeField()),
                ("sent_at", models.DateTimeField(null=True)),
                ("read_at", models.DateTimeField(help_text="by staff, for an incoming message", null=True)),
            ],
            options={
                "ordering": ["written_at"],
                "indexes": [
                    models.Index(fields=["subject_request", "written_at"], name="cases_letter_by_request"),
                    models.Index(fields=["case", "written_at"], name="cases_letter_by_case"),
                ],
            },
        ),
        migrations.CreateModel(
            name="Note",
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
                    "case",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="notes", to="cases.case"
                    ),
                ),
                (
                    "author",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("text", models.BinaryField(default=b"")),
                (
                    "about",
                    models.CharField(
                        blank=True, help_text="the act that it gives the reason of", max_length=40
                    ),
                ),
                ("written_at", models.DateTimeField()),
            ],
            options={
                "ordering": ["written_at"],
                "indexes": [models.Index(fields=["case", "written_at"], name="cases_note_by_case")],
            },
        ),
        migrations.CreateModel(
            name="Reminder",
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
                    "case",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="reminders", to="cases.case"
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("late", "late"),
                            ("due", "due date"),
                            ("letter", "letter with reasons"),
                            ("target", "internal target"),
                            ("pause", "long pause"),
                        ],
                        max_length=10,
                    ),
                ),
                (
                    "days",
                    models.PositiveSmallIntegerField(
                        help_text="before the date; for a pause, how long it lasted"
                    ),
                ),
                (
                    "aimed_on",
                    models.DateField(help_text="the date that it is about; for a pause, its first day"),
                ),
                ("made_at", models.DateTimeField()),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("case", "kind", "aimed_on", "days"), name="cases_reminder_once"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("kind__in", ["late", "due", "letter", "target", "pause"])),
                        name="cases_reminder_kind",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Restriction",
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
                    "case",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="restrictions",
                        to="cases.case",
                    ),
                ),
                (
                    "subject",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="restrictions",
                        to="cases.datasubject",
                    ),
                ),
                (
                    "ground",
                    models.CharField(help_text="of the picklist of triggers (Art 18(1))", max_length=40),
                ),
                (
                    "is_meanwhile",
                    models.BooleanField(help_text="only while something is checked; no decision of its own"),
                ),
                (
                    "words",
                    models.BinaryField(default=b"", help_text="what exactly is not to be used, and why"),
                ),
                (
                    "chosen_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("chosen_at", models.DateTimeField()),
                ("begun_at", models.DateTimeField(null=True)),
                ("lift_reason", models.BinaryField(default=b"", help_text="why it can end")),
                ("letter_subject", models.BinaryField(default=b"")),
                ("letter_body", models.BinaryField(default=b"")),
                ("lifts_on", models.DateField(help_text="the day that the letter names", null=True)),
                (
                    "lift_proposed_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("lift_proposed_at", models.DateTimeField(null=True)),
                (
                    "lift_agreed_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("lift_agreed_at", models.DateTimeField(null=True)),
                (
                    "return_reason",
                    models.BinaryField(default=b"", help_text="why the proposal to lift it went back"),
                ),
                (
                    "told_at",
                    models.DateTimeField(help_text="when the letter that it ends was out", null=True),
                ),
                (
                    "lifted_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("lifted_at", models.DateTimeField(null=True)),
            ],
            options={
                "ordering": ["chosen_at"],
                "indexes": [
                    models.Index(
                        condition=models.Q(("begun_at__isnull", False), ("lifted_at__isnull", True)),
                        fields=["subject"],
                        name="cases_restricted_now",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("lifted_at__isnull", True)),
                        fields=("case",),
                        name="cases_one_restriction_a_case",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("lift_agreed_by__isnull", True),
                            models.Q(
                                ("lift_proposed_by__isnull", False),
                                models.Q(("lift_agreed_by", models.F("lift_proposed_by")), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="cases_restriction_lifted_by_two",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("told_at__isnull", True), ("lift_agreed_at__isnull", False), _connector="OR"
                        ),
                        name="cases_restriction_told_when_agreed",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("lifted_at__isnull", True),
                            models.Q(
                                ("begun_at__isnull", False),
                                ("told_at__isnull", False),
                                ("told_at__lte", models.F("lifted_at")),
                            ),
                            _connector="OR",
                        ),
                        name="cases_restriction_lifted_after_telling",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="SecondLook",
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
                    "case",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="looks", to="cases.case"
                    ),
                ),
                (
                    "about",
                    models.BinaryField(
                        default=b"", help_text="which decision, and what it did to the person"
                    ),
                ),
                ("decided_on", models.DateField(null=True)),
                (
                    "basis",
                    models.CharField(
                        help_text="why it could be automated at all, of the picklist", max_length=40
                    ),
                ),
                ("is_special", models.BooleanField(help_text="it used special categories of data (Art 9)")),
                (
                    "special_basis",
                    models.BinaryField(default=b"", help_text="what allows that (EU Art 22(4); UK Art 22B)"),
                ),
                (
                    "logic",
                    models.BinaryField(default=b"", help_text="how it was made, as the person is told"),
                ),
                ("representations", models.BinaryField(default=b"", help_text="what the person says to it")),
                (
                    "involved",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.UUIDField(),
                        default=list,
                        help_text="colleagues who had a part in the decision",
                        size=None,
                    ),
                ),
                (
                    "involved_others",
                    models.BinaryField(default=b"", help_text="others who had one, in words"),
                ),
                (
                    "reviewer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "named_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("named_at", models.DateTimeField()),
                (
                    "finding",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("upheld", "the decision stands"),
                            ("changed", "the decision is changed"),
                            ("withdrawn", "the decision is withdrawn"),
                        ],
                        max_length=10,
                    ),
                ),
                (
                    "reasons",
                    models.BinaryField(default=b"", help_text="of the finding, as the person reads them"),
                ),
                ("found_at", models.DateTimeField(null=True)),
            ],
            options={
                "ordering": ["named_at", "id"],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("found_at__isnull", True)),
                        fields=("case",),
                        name="cases_one_open_look",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("finding", ""), ("found_at__isnull", True)),
                            models.Q(("found_at__isnull", False), models.Q(("finding", ""), _negated=True)),
                            _connector="OR",
                        ),
                        name="cases_look_has_a_finding",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ChangePlan",
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
                    "case",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="plans", to="cases.case"
                    ),
                ),
                ("number", models.PositiveIntegerField()),
                (
                    "stage",
                    models.CharField(
                        choices=[
                            ("making", "being made"),
                            ("ready", "ready to be decided"),
                            ("approved", "approved, not begun"),
                            ("executing", "being carried out"),
                            ("proving", "being checked"),
                            ("done", "done"),
                            ("void", "void"),
                        ],
                        default="making",
                        max_length=10,
                    ),
                ),
                (
                    "decision",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="plans",
                        to="cases.decision",
                    ),
                ),
                (
                    "ground",
                    models.CharField(
                        blank=True, db_default="", help_text="why (Art 17(1)), of the picklist", max_length=40
                    ),
                ),
                ("made_at", models.DateTimeField()),
                ("executes_at", models.DateTimeField(help_text="when the time to cancel is over", null=True)),
                (
                    "expedited_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("expedited_at", models.DateTimeField(null=True)),
                ("expedite_reason", models.BinaryField(null=True)),
                ("ended_at", models.DateTimeField(null=True)),
            ],
            options={
                "ordering": ["number"],
                "constraints": [
                    models.UniqueConstraint(fields=("case", "number"), name="cases_plan_number_once"),
                    models.UniqueConstraint(
                        condition=models.Q(("stage__in", ["done", "void"]), _negated=True),
                        fields=("case",),
                        name="cases_one_live_plan",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Extension",
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
                    "case",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="extensions",
                        to="cases.case",
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("proposed", "proposed"),
                            ("with_controller", "with the controller"),
                            ("approved", "approved, not sent yet"),
                            ("notified", "sent"),
                            ("returned", "returned"),
                            ("withdrawn", "taken back"),
                            ("lapsed", "too late"),
                        ],
                        default="proposed",
                        max_length=20,
                    ),
                ),
                (
                    "reason",
                    models.CharField(help_text="of cases.deadlines.events.ExtensionReason", max_length=30),
                ),
                ("explanation", models.BinaryField(default=b"", help_text="why, as the customer reads it")),
                ("letter_subject", models.BinaryField(default=b"")),
                ("letter_body", models.BinaryField(default=b"")),
                ("due_before", models.DateField(help_text="the date as it was when this was proposed")),
                ("due_after", models.DateField(help_text="the date that the letter names")),
                (
                    "named_on",
                    models.DateField(help_text="where the law lets the controller name the date", null=True),
                ),
                ("notice_by", models.DateField(help_text="by when the letter had to be out", null=True)),
                (
                    "instruction",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="cases.instruction",
                    ),
                ),
                ("instruction_says", models.CharField(max_length=10)),
                (
                    "proposed_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("proposed_at", models.DateTimeField()),
                (
                    "approved_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("approved_at", models.DateTimeField(null=True)),
                (
                    "controller_decided_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("controller_decided_at", models.DateTimeField(null=True)),
                (
                    "return_reason",
                    models.BinaryField(default=b"", help_text="why it went back, or was taken back"),
                ),
                (
                    "letter",
                    models.OneToOneField(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="extension",
                        to="cases.letter",
                    ),
                ),
                ("notified_at", models.DateTimeField(null=True)),
            ],
            options={
                "ordering": ["proposed_at"],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(
                            ("state__in", ("proposed", "with_controller", "approved", "notified"))
                        ),
                        fields=("case",),
                        name="cases_one_extension",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("approved_by__isnull", True),
                                models.Q(("approved_by", models.F("proposed_by")), _negated=True),
                                _connector="OR",
                            ),
                            models.Q(
                                ("controller_decided_by__isnull", True),
                                models.Q(("controller_decided_by", models.F("proposed_by")), _negated=True),
                                _connector="OR",
                            ),
                        ),
                        name="cases_extension_two_pairs_of_eyes",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("state__in", ["with_controller", "approved", "notified"]), _negated=True
                            ),
                            ("approved_by__isnull", False),
                            _connector="OR",
                        ),
                        name="cases_extension_approved_by_somebody",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="FoundIdentifier",
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
                    "case",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="found_identifiers",
                        to="cases.case",
                    ),
                ),
                (
                    "run",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="cases.collectionrun",
                    ),
                ),
                (
                    "source",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="cases.sourcesystem"
                    ),
                ),
                ("round", models.PositiveSmallIntegerField(help_text="in which it was revealed")),
                ("kind", models.CharField(max_length=60)),
                ("value_hash", models.BinaryField(help_text="keyed hash of the normalised value")),
                (
                    "content",
                    models.BinaryField(default=b"", help_text="the value, and the match that revealed it"),
                ),
                (
                    "used_in",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.UUIDField(), default=list, size=None
                    ),
                ),
                (
                    "struck_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("struck_at", models.DateTimeField(null=True)),
                ("reason", models.BinaryField(default=b"", help_text="why it was struck out")),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("case", "kind", "value_hash"), name="cases_found_identifier_once"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="FulfilmentTask",
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
                    "case",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="tasks", to="cases.case"
                    ),
                ),
                (
                    "decision",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="tasks",
                        to="cases.decision",
                    ),
                ),
                (
                    "source",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="cases.sourcesystem",
                    ),
                ),
                (
                    "verb",
                    models.CharField(
                        choices=[
                            ("erase", "Erase"),
                            ("rectify", "Correct"),
                            ("restrict", "Restrict"),
                            ("stop", "Stop the processing"),
                            ("review_decision", "Put the new decision into effect"),
                            ("transfer", "Pass the data on"),
                        ],
                        max_length=20,
                    ),
                ),
                (
                    "what",
                    models.BinaryField(default=b"", help_text="which records, and what to do with them"),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[("open", "to do"), ("done", "done"), ("impossible", "could not be done")],
                        default="open",
                        max_length=12,
                    ),
                ),
                ("evidence", models.BinaryField(default=b"", help_text="how it was done and checked")),
                (
                    "evidence_file",
                    models.OneToOneField(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="vault.storedfile",
                    ),
                ),
                (
                    "done_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("done_at", models.DateTimeField(null=True)),
                ("created_at", models.DateTimeField()),
            ],
            options={
                "ordering": ["created_at", "id"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("state", "open"),
                            models.Q(("done_at__isnull", False), ("done_by__isnull", False)),
                            _connector="OR",
                        ),
                        name="cases_task_done_by_somebody",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="LetterFile",
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
                    "letter",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="files", to="cases.letter"
                    ),
                ),
                (
                    "file",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="vault.storedfile"
                    ),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="Notice",
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
                    "reminder",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="notices",
                        to="cases.reminder",
                    ),
                ),
                (
                    "case",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="notices", to="cases.case"
                    ),
                ),
                (
                    "person",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="notices",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("batch", models.UUIDField(help_text="what was made together is told in one mail")),
                (
                    "mail",
                    models.CharField(
                        choices=[
                            ("queued", "waiting to be sent"),
                            ("sent", "sent"),
                            ("failed", "could not be sent"),
                        ],
                        default="queued",
                        max_length=10,
                    ),
                ),
                ("told_at", models.DateTimeField()),
                (
                    "ended_at",
                    models.DateTimeField(
                        help_text="put aside, or a more urgent one took its place", null=True
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("ended_at", None)),
                        fields=["person", "-told_at"],
                        name="cases_notice_mine",
                    ),
                    models.Index(fields=["batch", "person"], name="cases_notice_batch"),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("reminder", "person"), name="cases_notice_once_each"),
                    models.CheckConstraint(
                        condition=models.Q(("mail__in", ["queued", "sent", "failed"])),
                        name="cases_notice_mail",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Pursuit",
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
                    "case",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="pursuits", to="cases.case"
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[("reminder", "reminder"), ("proposal", "proposal to end")], max_length=10
                    ),
                ),
                ("number", models.PositiveSmallIntegerField(default=1, help_text="which reminder it is")),
                ("asked_at", models.DateTimeField(help_text="of the question that it follows")),
                (
                    "letter",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="cases.letter",
                    ),
                ),
                ("made_at", models.DateTimeField()),
            ],
            options={
                "ordering": ["made_at", "number"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("case", "asked_at", "kind", "number"), name="cases_pursuit_once"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("kind__in", ["reminder", "proposal"])), name="cases_pursuit_kind"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="RecipientNotice",
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
                    "case",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="recipient_notices",
                        to="cases.case",
                    ),
                ),
                (
                    "recipient",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="cases.recipient"
                    ),
                ),
                ("occasion", models.UUIDField(help_text="of the plan, or the decision, that set it off")),
                (
                    "told",
                    models.CharField(
                        choices=[
                            ("erased", "erased"),
                            ("corrected", "corrected"),
                            ("restricted", "restricted"),
                            ("lifted", "restriction lifted"),
                        ],
                        max_length=12,
                    ),
                ),
                (
                    "route",
                    models.CharField(
                        choices=[("email", "e-mail"), ("post", "post"), ("api", "HTTP call")], max_length=8
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "to be sent"),
                            ("sent", "sent"),
                            ("answered", "answered"),
                            ("failed", "could not be sent"),
                            ("impossible", "impossible"),
                            ("disproportionate", "disproportionate effort"),
                        ],
                        default="waiting",
                        max_length=20,
                    ),
                ),
                (
                    "letter",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="cases.letter",
                    ),
                ),
                (
                    "content",
                    models.BinaryField(help_text="what is sent by an HTTP call, until it is", null=True),
                ),
                ("made_at", models.DateTimeField()),
                ("sent_at", models.DateTimeField(null=True)),
                (
                    "status",
                    models.PositiveSmallIntegerField(help_text="of the answer to the HTTP call", null=True),
                ),
                ("error_code", models.CharField(blank=True, max_length=60)),
                ("reminders", models.PositiveSmallIntegerField(default=0)),
                ("reminded_at", models.DateTimeField(null=True)),
                ("answered_at", models.DateTimeField(null=True)),
                (
                    "answer_code",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("done", "has done the same"),
                            ("not_held", "holds nothing of the person"),
                            ("keeps", "keeps it for a reason of its own"),
                            ("refuses", "refuses"),
                        ],
                        max_length=12,
                    ),
                ),
                (
                    "words",
                    models.BinaryField(
                        default=b"", help_text="its answer, or why it is impossible or disproportionate"
                    ),
                ),
                (
                    "settled_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ["recipient__name", "made_at"],
                "indexes": [
                    models.Index(fields=["controller", "state", "sent_at"], name="cases_told_by_state")
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("case", "recipient", "occasion"), name="cases_recipient_told_once"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state", "answered"), _negated=True),
                            models.Q(("answer_code", ""), _negated=True),
                            _connector="OR",
                        ),
                        name="cases_recipient_answer_coded",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ResponsePack",
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
                    "case",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="packs", to="cases.case"
                    ),
                ),
                (
                    "decision",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT, related_name="pack", to="cases.decision"
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("building", "being built"),
                            ("ready", "ready"),
                            ("failed", "failed"),
                            ("revoked", "revoked"),
                        ],
                        default="building",
                        max_length=10,
                    ),
                ),
                (
                    "manifest",
                    models.BinaryField(default=b"", help_text="names, sizes and hashes of the files"),
                ),
                ("error_code", models.CharField(blank=True, max_length=60)),
                ("built_at", models.DateTimeField(null=True)),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="SourceSearch",
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
                    "run",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="searches",
                        to="cases.collectionrun",
                    ),
                ),
                (
                    "source",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="searches",
                        to="cases.sourcesystem",
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("queued", "waiting"),
                            ("running", "running"),
                            ("held", "on hold"),
                            ("done", "done"),
                            ("no_data", "no data"),
                            ("failed", "error"),
                            ("waived", "waived"),
                        ],
                        default="queued",
                        max_length=10,
                    ),
                ),
                ("cursor", models.BinaryField(help_text="where the next page begins", null=True)),
                ("matches", models.BinaryField(help_text="where collecting starts from", null=True)),
                (
                    "held_for",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("stopped", "collection is stopped"),
                            ("paused", "the source is paused"),
                            ("needs_admin", "the source refuses the account"),
                            ("resting", "the source failed several times in a row"),
                            ("throttled", "the source asked to be called later"),
                            ("agreement", "a handler has to agree"),
                            ("owner", "its owner was asked"),
                        ],
                        db_default="",
                        help_text="why it is on hold",
                        max_length=20,
                    ),
                ),
                (
                    "agreed_by",
                    models.ForeignKey(
                        help_text="to paging through whole lists",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("found", models.PositiveIntegerField(default=0)),
                (
                    "round",
                    models.PositiveSmallIntegerField(
                        db_default=1,
                        default=1,
                        help_text="rises when other sources revealed what to search by",
                    ),
                ),
                ("followed", models.BinaryField(help_text="the matches of earlier rounds", null=True)),
                ("expected", models.PositiveIntegerField(help_text="by the source's own count", null=True)),
                ("error_code", models.CharField(blank=True, max_length=60)),
                (
                    "error_text",
                    models.TextField(
                        blank=True, help_text="a sentence without personal data, and what to do"
                    ),
                ),
                (
                    "warnings",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=300), default=list, size=None
                    ),
                ),
                (
                    "waiver",
                    models.BinaryField(
                        default=b"",
                        help_text="why an answer goes out without this source; stated in the pack",
                    ),
                ),
                (
                    "waiver_proposed_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "waived_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("started_at", models.DateTimeField(null=True)),
                ("ended_at", models.DateTimeField(null=True)),
            ],
            options={
                "ordering": ["source__name"],
                "constraints": [
                    models.UniqueConstraint(fields=("run", "source"), name="cases_search_once_per_run"),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state", "waived"), _negated=True),
                            models.Q(
                                ("waived_by__isnull", False),
                                ("waiver_proposed_by__isnull", False),
                                models.Q(("waived_by", models.F("waiver_proposed_by")), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="cases_waived_by_a_second_person",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Candidate",
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
                    "case",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="%(class)ss",
                        to="cases.case",
                    ),
                ),
                (
                    "source",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="cases.sourcesystem"
                    ),
                ),
                (
                    "search",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="cases.sourcesearch"
                    ),
                ),
                ("ref_hash", models.BinaryField(help_text="keyed hash of its place in the source")),
                (
                    "verdict",
                    models.CharField(
                        choices=[
                            ("open", "to decide"),
                            ("theirs", "the person's"),
                            ("not_theirs", "not the person's"),
                        ],
                        default="open",
                        max_length=12,
                    ),
                ),
                ("reason", models.BinaryField(default=b"", help_text="why it was decided so")),
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
                    "match",
                    models.BinaryField(
                        help_text="as the connector gave it; destroyed where it is not the person", null=True
                    ),
                ),
                (
                    "why",
                    models.CharField(
                        choices=[
                            ("probable", "The source is not sure that this is the person."),
                            ("mention", "The person is only mentioned there."),
                            ("unverified", "It agrees only in something that nobody has verified."),
                            (
                                "shared",
                                "It agrees in a telephone number alone, which several people may share.",
                            ),
                            ("others", "What led here leads to somebody with other details as well."),
                            (
                                "several",
                                "What led here leads to several records, which may be several people's.",
                            ),
                        ],
                        max_length=12,
                    ),
                ),
                (
                    "matched_on",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=40), default=list, size=None
                    ),
                ),
                ("is_collected", models.BooleanField(default=False)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("case", "source", "ref_hash"), name="cases_candidate_once"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Delivery",
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
                    "pack",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="deliveries",
                        to="cases.responsepack",
                    ),
                ),
                (
                    "route",
                    models.CharField(
                        choices=[("portal", "Portal"), ("post", "Recorded post")], max_length=10
                    ),
                ),
                (
                    "party",
                    models.CharField(
                        choices=[("requester", "Requester"), ("subject", "Data subject")],
                        db_default="requester",
                        default="requester",
                        help_text="to whom, where a representative asked",
                        max_length=10,
                    ),
                ),
                ("sent_at", models.DateTimeField(null=True)),
                (
                    "sent_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("tracking", models.CharField(blank=True, help_text="of the recorded letter", max_length=60)),
                ("available_until", models.DateTimeField(null=True)),
                ("downloads", models.PositiveIntegerField(default=0)),
                ("first_downloaded_at", models.DateTimeField(null=True)),
                ("revoked_at", models.DateTimeField(null=True)),
                (
                    "revoked_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("is_misdirected", models.BooleanField(default=False)),
                ("revoke_reason", models.BinaryField(default=b"")),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("revoked_at__isnull", True)),
                        fields=("pack", "party"),
                        name="cases_one_live_delivery",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Inquiry",
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
                    "search",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="inquiries",
                        to="cases.sourcesearch",
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("asked", "asked"),
                            ("handed_in", "data was handed in"),
                            ("nothing", "nothing is held"),
                            ("declined", "not searched"),
                            ("closed", "not waited for any more"),
                        ],
                        default="asked",
                        max_length=10,
                    ),
                ),
                ("asked_at", models.DateTimeField()),
                ("answer_by", models.DateTimeField()),
                (
                    "mails",
                    models.PositiveSmallIntegerField(
                        default=0, help_text="ordered: the question, then reminders"
                    ),
                ),
                (
                    "mailed_at",
                    models.DateTimeField(help_text="the last that the mail server took", null=True),
                ),
                ("mail_error", models.CharField(blank=True, max_length=60)),
                (
                    "opened_at",
                    models.DateTimeField(help_text="when the owner first saw whom to look for", null=True),
                ),
                (
                    "escalated_at",
                    models.DateTimeField(help_text="when staff were told that no answer came", null=True),
                ),
                ("answered_at", models.DateTimeField(null=True)),
                (
                    "answered_by",
                    models.ForeignKey(
                        help_text="staff, where they answered for the owner",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("note", models.BinaryField(help_text="the owner's own words", null=True)),
            ],
            options={
                "ordering": ["-asked_at", "-id"],
                "indexes": [
                    models.Index(
                        condition=models.Q(("state", "asked")),
                        fields=["controller", "answer_by"],
                        name="cases_inquiry_open",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("state", "asked")),
                        fields=("search",),
                        name="cases_one_open_inquiry",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("answered_at", None), ("state", "asked")),
                            models.Q(
                                models.Q(("state", "asked"), _negated=True), ("answered_at__isnull", False)
                            ),
                            _connector="OR",
                        ),
                        name="cases_inquiry_ended_or_open",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Item",
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
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="identity.controller",
                    ),
                ),
                (
                    "case",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="items",
                        to="cases.case",
                    ),
                ),
                (
                    "source",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="cases.sourcesystem",
                    ),
                ),
                (
                    "search",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="items",
                        to="cases.sourcesearch",
                    ),
                ),
                ("collection", models.CharField(help_text="the record type in the source", max_length=120)),
                ("ref_hash", models.BinaryField(help_text="keyed hash of the record's place in the source")),
                ("content_hash", models.BinaryField(help_text="keyed hash of the data, to see a change")),
                ("number", models.PositiveIntegerField(help_text="order of collection within its search")),
                ("content", models.BinaryField(help_text="reference, data, proof of link", null=True)),
                (
                    "file",
                    models.OneToOneField(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="vault.storedfile",
                    ),
                ),
                ("is_third_party", models.BooleanField(default=False)),
                (
                    "decision",
                    models.CharField(
                        choices=[
                            ("undecided", "to decide"),
                            ("disclose", "disclose"),
                            ("redact", "disclose redacted"),
                            ("withhold", "withhold"),
                            ("act", "erase or correct"),
                            ("keep", "keep"),
                        ],
                        default="undecided",
                        max_length=10,
                    ),
                ),
                ("exemption", models.CharField(blank=True, help_text="code of the picklist", max_length=40)),
                (
                    "is_silent",
                    models.BooleanField(
                        default=False, help_text="the law forbids saying that it was withheld"
                    ),
                ),
                (
                    "redactions",
                    models.BinaryField(help_text="fields, and passages as field, start, end", null=True),
                ),
                (
                    "decided_by",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("decided_at", models.DateTimeField(null=True)),
                ("note", models.BinaryField(null=True)),
            ],
            options={
                "indexes": [
                    models.Index(
                        fields=["case", "source", "collection", "number"], name="cases_item_by_group"
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("case", "source", "collection", "ref_hash"), name="cases_item_once"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("decision__in", ["undecided", "disclose", "redact", "act"]),
                                ("is_silent", False),
                            ),
                            models.Q(
                                ("decision__in", ["withhold", "keep"]),
                                models.Q(("exemption", ""), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="cases_withheld_under_an_exemption",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="PackFile",
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
                    "pack",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="files",
                        to="cases.responsepack",
                    ),
                ),
                (
                    "file",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="vault.storedfile"
                    ),
                ),
                ("position", models.PositiveIntegerField()),
            ],
            options={
                "ordering": ["position"],
                "constraints": [
                    models.UniqueConstraint(fields=("pack", "position"), name="cases_pack_position_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="PlanPart",
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
                    "plan",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="parts",
                        to="cases.changeplan",
                    ),
                ),
                (
                    "source",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="cases.sourcesystem"
                    ),
                ),
                (
                    "stage",
                    models.CharField(
                        choices=[
                            ("waiting", "waiting"),
                            ("planning", "dry run under way"),
                            ("planned", "dry run done"),
                            ("executing", "being carried out"),
                            ("proving", "being checked"),
                            ("done", "done"),
                            ("held", "on hold"),
                            ("failed", "error"),
                        ],
                        default="waiting",
                        max_length=10,
                    ),
                ),
                (
                    "generation",
                    models.PositiveIntegerField(
                        db_default=0,
                        default=0,
                        help_text="rises with each change of its lines: which dry run is the present one",
                    ),
                ),
                (
                    "looked",
                    models.PositiveIntegerField(
                        db_default=0,
                        default=0,
                        help_text="lines that the present dry run has asked the source about",
                    ),
                ),
                ("held_for", models.CharField(blank=True, max_length=20)),
                (
                    "digest",
                    models.CharField(
                        blank=True, help_text="of the connector's plan that was approved", max_length=64
                    ),
                ),
                ("steps_total", models.PositiveIntegerField(default=0)),
                ("steps_done", models.PositiveIntegerField(default=0)),
                ("error_code", models.CharField(blank=True, max_length=60)),
                (
                    "error_text",
                    models.TextField(
                        blank=True, help_text="a sentence without personal data, and what to do"
                    ),
                ),
                (
                    "tasks",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.TextField(),
                        db_default=[],
                        default=list,
                        help_text="what a human has to see to in the source itself, as the dry run said it",
                        size=None,
                    ),
                ),
                (
                    "backups_gone_on",
                    models.DateField(help_text="when the source's backups are overwritten", null=True),
                ),
                ("planned_at", models.DateTimeField(null=True)),
                ("started_at", models.DateTimeField(null=True)),
                ("ended_at", models.DateTimeField(null=True)),
                ("proven_at", models.DateTimeField(null=True)),
            ],
            options={
                "ordering": ["source__name"],
                "constraints": [
                    models.UniqueConstraint(fields=("plan", "source"), name="cases_part_once_per_plan")
                ],
            },
        ),
        migrations.CreateModel(
            name="RestrictedPlace",
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
                    "restriction",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="places",
                        to="cases.restriction",
                    ),
                ),
                (
                    "source",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="cases.sourcesystem",
                    ),
                ),
                (
                    "task",
                    models.OneToOneField(
                        help_text="that marks it",
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="place",
                        to="cases.fulfilmenttask",
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("to_mark", "to be marked"),
                            ("marked", "marked"),
                            ("impossible", "cannot be marked"),
                            ("to_free", "mark to be taken away"),
                            ("freed", "mark taken away"),
                        ],
                        default="to_mark",
                        max_length=10,
                    ),
                ),
                (
                    "evidence",
                    models.BinaryField(default=b"", help_text="how it was marked, or why it could not be"),
                ),
                (
                    "marked_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("marked_at", models.DateTimeField(null=True)),
                ("freed_evidence", models.BinaryField(default=b"", help_text="how the mark was taken away")),
                (
                    "freed_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("freed_at", models.DateTimeField(null=True)),
            ],
            options={
                "ordering": ["source__name", "id"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("restriction", "source"),
                        name="cases_restricted_once_a_source",
                        nulls_distinct=False,
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="SetAside",
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
                    "case",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="%(class)ss",
                        to="cases.case",
                    ),
                ),
                (
                    "source",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="cases.sourcesystem"
                    ),
                ),
                (
                    "search",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="cases.sourcesearch"
                    ),
                ),
                ("ref_hash", models.BinaryField(help_text="keyed hash of its place in the source")),
                (
                    "verdict",
                    models.CharField(
                        choices=[
                            ("open", "to decide"),
                            ("theirs", "the person's"),
                            ("not_theirs", "not the person's"),
                        ],
                        default="open",
                        max_length=12,
                    ),
                ),
                ("reason", models.BinaryField(default=b"", help_text="why it was decided so")),
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
                    "content",
                    models.BinaryField(
                        help_text="all of the record; destroyed where it is not the person's", null=True
                    ),
                ),
                ("collection", models.CharField(help_text="the record type in the source", max_length=120)),
                (
                    "why",
                    models.CharField(
                        choices=[
                            ("identity", "It bears none of the identifiers that were searched for."),
                            ("reference", "It refers to no record of the person."),
                            ("match", "It belongs to a match that is still to be decided."),
                        ],
                        max_length=12,
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("case", "source", "collection", "ref_hash"), name="cases_set_aside_once"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="CollectedFile",
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
                    "case",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="collected_files",
                        to="cases.case",
                    ),
                ),
                (
                    "item",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE, related_name="collected", to="cases.item"
                    ),
                ),
                (
                    "search",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="files",
                        to="cases.sourcesearch",
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "waiting"),
                            ("fetched", "fetched"),
                            ("failed", "error"),
                            ("waived", "waived"),
                        ],
                        default="waiting",
                        max_length=10,
                    ),
                ),
                ("attempts", models.PositiveSmallIntegerField(default=0)),
                ("error_code", models.CharField(blank=True, max_length=60)),
                (
                    "error_text",
                    models.TextField(
                        blank=True, help_text="a sentence without personal data, and what to do"
                    ),
                ),
                (
                    "waiver",
                    models.BinaryField(default=b"", help_text="why the answer goes out without this file"),
                ),
                (
                    "waived_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("waived_at", models.DateTimeField(null=True)),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("state__in", ["waiting", "failed"])),
                        fields=["case", "state"],
                        name="cases_files_outstanding",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Correction",
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
                    "case",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="corrections",
                        to="cases.case",
                    ),
                ),
                (
                    "item",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="cases.item",
                    ),
                ),
                (
                    "source",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="cases.sourcesystem",
                    ),
                ),
                ("collection", models.CharField(help_text="the record type in the source", max_length=120)),
                ("field", models.CharField(help_text="the name of the field in the source", max_length=120)),
                (
                    "claim",
                    models.PositiveSmallIntegerField(help_text="which claim of the request, counted from 0"),
                ),
                (
                    "found",
                    models.CharField(
                        choices=[
                            ("pointed", "the person pointed at it"),
                            ("value", "holds what is said to be wrong"),
                            ("named", "is the detail that was named, and holds something else"),
                            ("within", "mentions it in a longer text"),
                        ],
                        max_length=10,
                    ),
                ),
                ("held", models.BinaryField(default=b"", help_text="what the field holds")),
                (
                    "claimed",
                    models.BinaryField(
                        default=b"", help_text="what it should hold, as the field would write it"
                    ),
                ),
                ("wanted", models.BinaryField(help_text="what was decided that it is to hold", null=True)),
                (
                    "outcome",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("", "to decide"),
                            ("CORRECTED", "correct"),
                            ("COMPLETED", "complete with a statement"),
                            ("RECORD_OF_MISTAKE", "keep as a record of a mistake, with the correction"),
                            ("OPINION", "keep as an opinion, marked as disputed"),
                            ("REFUSED", "refuse, with a note of the dispute"),
                            ("NOT_MEANT", "this was not meant"),
                        ],
                        default="",
                        max_length=20,
                    ),
                ),
                (
                    "reason",
                    models.BinaryField(default=b"", help_text="why it was decided so, for the letter"),
                ),
                ("evidence", models.BinaryField(default=b"", help_text="what the decision rests on")),
                (
                    "statement",
                    models.BinaryField(
                        default=b"",
                        help_text="what is added to the record: a statement, or a note of the dispute",
                    ),
                ),
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
            ],
            options={
                "ordering": ["claim", "source__name", "collection", "field", "id"],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("item__isnull", False)),
                        fields=("case", "item", "field"),
                        name="cases_correction_once_per_field",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("outcome", ""),
                            models.Q(("decided_at__isnull", False), ("decided_by__isnull", False)),
                            _connector="OR",
                        ),
                        name="cases_correction_decided_by_somebody",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="InquiryFile",
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
                    "inquiry",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="files", to="cases.inquiry"
                    ),
                ),
                (
                    "file",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="vault.storedfile"
                    ),
                ),
                ("added_at", models.DateTimeField()),
            ],
            options={
                "ordering": ["added_at", "id"],
            },
        ),
        migrations.CreateModel(
            name="PlannedChange",
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
                    "plan",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="lines",
                        to="cases.changeplan",
                    ),
                ),
                (
                    "case",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="cases.case",
                    ),
                ),
                (
                    "item",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="cases.item",
                    ),
                ),
                (
                    "source",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="cases.sourcesystem",
                    ),
                ),
                ("collection", models.CharField(help_text="the record type in the source", max_length=120)),
                ("number", models.PositiveIntegerField(help_text="order within the plan")),
                (
                    "treatment",
                    models.CharField(
                        choices=[
                            ("delete", "delete"),
                            ("anonymise", "anonymise"),
                            ("block", "block"),
                            ("keep", "keep"),
                            ("refer", "not ours: refer"),
                            ("correct", "correct"),
                            ("supplement", "add a statement"),
                            ("refuse", "refuse to correct"),
                            ("restrict", "restrict"),
                            ("lift", "lift the restriction"),
                        ],
                        max_length=12,
                    ),
                ),
                (
                    "wanted",
                    models.BinaryField(
                        default=b"", help_text="by field: the value afterwards, or the strategy that makes it"
                    ),
                ),
                (
                    "expected",
                    models.BinaryField(default=b"", help_text="by field: what it held when it was decided"),
                ),
                (
                    "basis",
                    models.CharField(
                        blank=True, help_text="ground or exception, code of the picklist", max_length=40
                    ),
                ),
                (
                    "rule",
                    models.CharField(
                        blank=True, help_text="what proposed it; empty: a human", max_length=120
                    ),
                ),
                ("reason", models.BinaryField(default=b"", help_text="the human's words")),
                (
                    "by_hand",
                    models.BooleanField(default=False, help_text="no connector can: a task for a human"),
                ),
                (
                    "may_write",
                    models.BooleanField(
                        db_default=False,
                        default=False,
                        help_text="the record itself bears the verified identity, or hangs on one that does, and is nobody else's",
                    ),
                ),
                (
                    "obstacle",
                    models.CharField(
                        blank=True, help_text="what the source said in the dry run", max_length=20
                    ),
                ),
                (
                    "remedy",
                    models.TextField(blank=True, help_text="what to do about it, without personal data"),
                ),
                (
                    "predicted",
                    models.CharField(blank=True, help_text="what the source will really do", max_length=12),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("proposed", "proposed"),
                            ("decided", "decided"),
                            ("returned", "sent back"),
                            ("approved", "approved"),
                            ("stale", "changed meanwhile"),
                            ("done", "done"),
                            ("refused", "refused by the source"),
                            ("failed", "failed"),
                        ],
                        default="proposed",
                        max_length=10,
                    ),
                ),
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
                    "approved_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("approved_at", models.DateTimeField(null=True)),
                ("return_reason", models.BinaryField(default=b"")),
            ],
            options={
                "ordering": ["number"],
                "indexes": [
                    models.Index(
                        fields=["plan", "source", "collection", "treatment"], name="cases_line_by_group"
                    ),
                    models.Index(fields=["plan", "state", "number"], name="cases_line_by_state"),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("plan", "number"), name="cases_line_number_once"),
                    models.UniqueConstraint(
                        condition=models.Q(("item__isnull", False)),
                        fields=("plan", "item"),
                        name="cases_line_once_per_item",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("treatment__in", ["keep", "refuse"]), _negated=True),
                            models.Q(("basis", ""), _negated=True),
                            _connector="OR",
                        ),
                        name="cases_kept_under_an_exception",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("treatment__in", ["keep", "refer", "refuse"]),
                            ("by_hand", True),
                            ("may_write", True),
                            _connector="OR",
                        ),
                        name="cases_line_writes_what_is_proven",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("approved_by__isnull", True),
                            ("decided_by__isnull", True),
                            models.Q(("approved_by", models.F("decided_by")), _negated=True),
                            _connector="OR",
                        ),
                        name="cases_line_approved_by_another",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ChangeStep",
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
                    "part",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="steps", to="cases.planpart"
                    ),
                ),
                (
                    "line",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="steps",
                        to="cases.plannedchange",
                    ),
                ),
                ("number", models.PositiveIntegerField(help_text="order within the part")),
                ("key", models.CharField(help_text="the action's, the same each time", max_length=64)),
                ("verb", models.CharField(max_length=20)),
                ("action", models.BinaryField(default=b"", help_text="as the connector planned it")),
                (
                    "after",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=64),
                        default=list,
                        help_text="keys of steps that come first",
                        size=None,
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "waiting"),
                            ("trying", "under way"),
                            ("pending", "accepted by the source, not done yet"),
                            ("done", "done"),
                            ("already", "was so already"),
                            ("refused", "refused"),
                            ("stale", "changed meanwhile"),
                            ("failed", "failed"),
                        ],
                        default="waiting",
                        max_length=10,
                    ),
                ),
                ("attempts", models.PositiveSmallIntegerField(default=0)),
                (
                    "effect",
                    models.CharField(blank=True, help_text="what reading it again showed", max_length=12),
                ),
                (
                    "request",
                    models.CharField(
                        blank=True, help_text="the shape of the call, without values", max_length=300
                    ),
                ),
                ("status", models.IntegerField(null=True)),
                ("vendor_request", models.CharField(blank=True, max_length=120)),
                ("answer_hash", models.CharField(blank=True, max_length=64)),
                (
                    "ticket",
                    models.CharField(
                        blank=True, help_text="what the vendor's job is asked after by", max_length=200
                    ),
                ),
                ("obstacle", models.CharField(blank=True, max_length=20)),
                ("error_code", models.CharField(blank=True, max_length=60)),
                ("started_at", models.DateTimeField(null=True)),
                ("ended_at", models.DateTimeField(null=True)),
            ],
            options={
                "ordering": ["number"],
                "indexes": [models.Index(fields=["part", "state", "number"], name="cases_step_by_state")],
                "constraints": [
                    models.UniqueConstraint(fields=("part", "key"), name="cases_step_once"),
                    models.UniqueConstraint(fields=("part", "number"), name="cases_step_number_once"),
                ],
            },
        ),
        migrations.CreateModel(
            name="Leftover",
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
                    "part",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="leftovers",
                        to="cases.planpart",
                    ),
                ),
                (
                    "line",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="leftovers",
                        to="cases.plannedchange",
                    ),
                ),
                (
                    "place",
                    models.BinaryField(
                        default=b"", help_text="reference and record type, as the connector names them"
                    ),
                ),
                (
                    "where",
                    models.CharField(help_text="the place alone, without personal data", max_length=200),
                ),
                ("remains", models.CharField(max_length=15)),
                ("found_at", models.DateTimeField()),
                (
                    "settled",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("", "open"),
                            ("gone", "gone since"),
                            ("again", "carried out again"),
                            ("accepted", "accepted, with a reason"),
                        ],
                        default="",
                        max_length=10,
                    ),
                ),
                ("reason", models.BinaryField(default=b"")),
                (
                    "proposed_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "settled_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("settled_at", models.DateTimeField(null=True)),
            ],
            options={
                "ordering": ["found_at", "id"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("settled", "accepted"), _negated=True),
                            models.Q(
                                ("proposed_by__isnull", False),
                                ("settled_by__isnull", False),
                                models.Q(("proposed_by", models.F("settled_by")), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="cases_leftover_accepted_by_two",
                    )
                ],
            },
        ),
    ]
