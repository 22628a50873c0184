"""Where a controller's data is, and what was found there for a case."""

from typing import Any
from uuid import UUID

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from cases.models.case import Case
from dsar.lib.models import UuidModel
from dsar.vault.fields import sealed_json, sealed_text
from dsar.vault.models import StoredFile, VaultKey
from identity.models import Controller, TenantModel, User


class SourceSystem(TenantModel):
    """A connected system of a controller. Its secrets are sealed and are never shown again."""

    key = models.ForeignKey(VaultKey, on_delete=models.PROTECT, related_name="+")
    slug = models.SlugField()
    name = models.CharField(max_length=120)
    connector = models.CharField(max_length=60, help_text="key of an installed connector")
    options = models.JSONField(default=dict)
    secrets: dict[str, str] = sealed_json()
    dataset = models.TextField(blank=True, help_text="fideslang dataset description, YAML")
    facts = models.JSONField(default=dict, help_text="this source's part of the Article 15(1) statement")
    portable = models.JSONField(
        default=dict,
        db_default=models.Value({}, models.JSONField()),
        help_text="what of it a person can take along (Art 20(1)); {}: somebody decides",
    )
    data_kinds = ArrayField(
        models.CharField(max_length=20),
        default=list,
        db_default=[],
        help_text="what it holds, as a policy of identity asks; empty: ordinary",
    )
    owner_email = models.EmailField(blank=True, help_text="who is told to preserve, or asked for help")
    purged_after_days = models.PositiveIntegerField(
        null=True, blank=True, help_text="recordings older than this are purged there"
    )
    erasing_secrets: dict[str, str] | None = sealed_json(
        null=True, default=None, help_text="credentials that may change the source; those of reading never do"
    )
    credentials_expire_on = models.DateField(
        null=True, blank=True, help_text="by the administrator's own knowledge"
    )
    country = models.CharField(max_length=60, blank=True, db_default="", help_text="where the data lives")
    safeguard = models.CharField(
        max_length=300,
        blank=True,
        db_default="",
        help_text="what a transfer to there rests on (Articles 45-49)",
    )
    erase_after = ArrayField(
        models.SlugField(), default=list, db_default=[], help_text="slugs of the sources that feed this one"
    )
    backup_days = models.PositiveIntegerField(
        null=True, blank=True, help_text="after so many days its backups are overwritten; empty: not known"
    )
    may_list_whole = models.BooleanField(
        default=False,
        db_default=False,
        help_text="paged through as a whole without asking a handler each time",
    )
    is_test = models.BooleanField(default=False, help_text="a test system: drills may run on it")
    test_persons = models.JSONField(
        default=list, help_text="keyed hashes of addresses that drills may ask for"
    )
    is_active = models.BooleanField(default=True)
    # How it stands: written by workers and by acts of administrators, never together with its settings.
    paused_at = models.DateTimeField(null=True, blank=True)
    paused_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    pause_reason: str | None = sealed_text(null=True, default=None)
    failures = models.PositiveIntegerField(default=0, db_default=0, help_text="in a row")
    held_until = models.DateTimeField(
        null=True, blank=True, help_text="after failures, or as it asked itself"
    )
    needs_admin_at = models.DateTimeField(
        null=True, blank=True, help_text="since when it refuses the account"
    )
    trouble_code = models.CharField(max_length=60, blank=True, db_default="")
    trouble_text = models.TextField(
        blank=True, db_default="", help_text="the last trouble, without personal data, and what to do"
    )
    succeeded_at = models.DateTimeField(null=True, blank=True)
    expiry_told_for = models.DateField(
        null=True, blank=True, help_text="the end of credentials of which administrators were told"
    )

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["controller", "slug"], name="cases_source_slug_once")]

    def __str__(self) -> str:
        return self.name

    @property
    def sealing_key_id(self) -> UUID:
        return self.key_id


class CheckStage(models.TextChoices):
    WAITING = "waiting", _("waiting")
    RUNNING = "running", _("running")
    GOOD = "good", _("answers")
    BAD = "bad", _("does not answer as it should")


class SourceCheck(TenantModel):
    """One trial of a connection, with reads only: by the clock, or because somebody asked.

    New credentials are tried here before they replace those in use.
    """

    source = models.ForeignKey(SourceSystem, on_delete=models.CASCADE, related_name="checks")
    key = models.ForeignKey(VaultKey, on_delete=models.PROTECT, related_name="+")
    asked_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    asked_at = models.DateTimeField()
    stage = models.CharField(max_length=10, choices=CheckStage, default=CheckStage.WAITING)
    candidate: dict[str, str] | None = sealed_json(
        null=True, default=None, help_text="credentials to be taken into use when they work"
    )
    is_for_erasing = models.BooleanField(default=False, help_text="tried with the credentials for erasing")
    ended_at = models.DateTimeField(null=True)
    latency_ms = models.PositiveIntegerField(null=True)
    account: str | None = sealed_text(null=True, default=None)
    server = models.CharField(max_length=200, blank=True)
    warnings = ArrayField(models.CharField(max_length=300), default=list)
    unknown_fields = models.JSONField(default=dict, help_text="by record type, names alone")
    credentials_expire_at = models.DateTimeField(null=True)
    error_code = models.CharField(max_length=60, blank=True)
    error_text = models.TextField(blank=True)

    class Meta:
        ordering = ["-asked_at", "-id"]
        indexes = [models.Index(fields=["source", "-asked_at"], name="cases_check_by_source")]

    @property
    def sealing_key_id(self) -> UUID:
        return self.key_id


class CollectionStop(UuidModel):
    """The switch that stops all collection: of one controller, or, without one, of the whole installation."""

    controller = models.ForeignKey(Controller, on_delete=models.PROTECT, null=True, related_name="+")
    key = models.ForeignKey(VaultKey, on_delete=models.PROTECT, related_name="+")
    reason: str | None = sealed_text(null=True, default=None)
    stopped_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    stopped_at = models.DateTimeField()
    lifted_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    lifted_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["controller"],
                name="cases_one_stop_at_a_time",
                condition=models.Q(lifted_at=None),
                nulls_distinct=False,
            )
        ]

    @property
    def sealing_key_id(self) -> UUID:
        return self.key_id


class RunState(models.TextChoices):
    RUNNING = "running", _("running")
    COMPLETE = "complete", _("complete")
    ABANDONED = "abandoned", _("abandoned")


class CollectionRun(TenantModel):
    """One search of all source systems for one case."""

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="runs")
    number = models.PositiveIntegerField()
    state = models.CharField(max_length=12, choices=RunState, default=RunState.RUNNING)
    started_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["case", "number"], name="cases_run_number_once"),
            models.UniqueConstraint(
                fields=["case"], name="cases_one_open_run", condition=models.Q(state="running")
            ),
        ]


class SearchState(models.TextChoices):
    QUEUED = "queued", _("waiting")
    RUNNING = "running", _("running")
    HELD = "held", _("on hold")
    DONE = "done", _("done")
    NO_DATA = "no_data", _("no data")
    FAILED = "failed", _("error")
    WAIVED = "waived", _("waived")


class HeldFor(models.TextChoices):
    """What a search on hold waits for."""

    STOPPED = "stopped", _("collection is stopped")
    PAUSED = "paused", _("the source is paused")
    NEEDS_ADMIN = "needs_admin", _("the source refuses the account")
    RESTING = "resting", _("the source failed several times in a row")
    THROTTLED = "throttled", _("the source asked to be called later")
    AGREEMENT = "agreement", _("a handler has to agree")
    OWNER = "owner", _("its owner was asked")


class SourceSearch(TenantModel):
    """One source system's part of a run."""

    run = models.ForeignKey(CollectionRun, on_delete=models.CASCADE, related_name="searches")
    source = models.ForeignKey(SourceSystem, on_delete=models.PROTECT, related_name="searches")
    state = models.CharField(max_length=10, choices=SearchState, default=SearchState.QUEUED)
    cursor: Any = sealed_json(
        null=True, default=None, key_attribute="collected_key_id", help_text="where the next page begins"
    )
    matches: Any = sealed_json(
        null=True, default=None, key_attribute="collected_key_id", help_text="where collecting starts from"
    )
    held_for = models.CharField(
        max_length=20, choices=HeldFor, blank=True, db_default="", help_text="why it is on hold"
    )
    agreed_by = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, related_name="+", help_text="to paging through whole lists"
    )
    found = models.PositiveIntegerField(default=0)
    round = models.PositiveSmallIntegerField(
        default=1, db_default=1, help_text="rises when other sources revealed what to search by"
    )
    followed: Any = sealed_json(
        null=True, default=None, key_attribute="collected_key_id", help_text="the matches of earlier rounds"
    )
    expected = models.PositiveIntegerField(null=True, help_text="by the source's own count")
    error_code = models.CharField(max_length=60, blank=True)
    error_text = models.TextField(blank=True, help_text="a sentence without personal data, and what to do")
    warnings = ArrayField(models.CharField(max_length=300), default=list)
    waiver: str = sealed_text(help_text="why an answer goes out without this source; stated in the pack")
    waiver_proposed_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    waived_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["source__name"]
        constraints = [
            models.UniqueConstraint(fields=["run", "source"], name="cases_search_once_per_run"),
            models.CheckConstraint(
                name="cases_waived_by_a_second_person",
                condition=~models.Q(state="waived")
                | models.Q(waived_by__isnull=False, waiver_proposed_by__isnull=False)
                & ~models.Q(waived_by=models.F("waiver_proposed_by")),
            ),
        ]

    @property
    def sealing_key_id(self) -> UUID:
        return self.run.case.file_key_id

    @property
    def collected_key_id(self) -> UUID:
        return self.run.case.collected_key_id


class ItemDecision(models.TextChoices):
    UNDECIDED = "undecided", _("to decide")
    DISCLOSE = "disclose", _("disclose")
    REDACT = "redact", _("disclose redacted")
    WITHHOLD = "withhold", _("withhold")
    ACT = "act", _("erase or correct")
    KEEP = "keep", _("keep")


class Item(TenantModel):
    """One record or file found. Its content is sealed under the case's key for collected data.

    There are very many, so an index is kept where something is looked for by it: items of a case lead one.
    """

    # The key to the case holds the controller too, which is that of the case.
    controller = models.ForeignKey(
        Controller, on_delete=models.PROTECT, related_name="+", db_index=False, db_constraint=False
    )
    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="items", db_index=False)
    source = models.ForeignKey(
        SourceSystem, on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    search = models.ForeignKey(SourceSearch, on_delete=models.PROTECT, null=True, related_name="items")
    collection = models.CharField(max_length=120, help_text="the record type in the source")
    ref_hash = models.BinaryField(help_text="keyed hash of the record's place in the source")
    content_hash = models.BinaryField(help_text="keyed hash of the data, to see a change")
    number = models.PositiveIntegerField(help_text="order of collection within its search")
    content: Any = sealed_json(null=True, help_text="reference, data, proof of link")
    file = models.OneToOneField(StoredFile, on_delete=models.PROTECT, null=True, related_name="+")
    is_third_party = models.BooleanField(default=False)
    decision = models.CharField(max_length=10, choices=ItemDecision, default=ItemDecision.UNDECIDED)
    exemption = models.CharField(max_length=40, blank=True, help_text="code of the picklist")
    is_silent = models.BooleanField(default=False, help_text="the law forbids saying that it was withheld")
    redactions: Any = sealed_json(null=True, help_text="fields, and passages as field, start, end")
    decided_by = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    decided_at = models.DateTimeField(null=True)
    note: str = sealed_text(null=True, default=None)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["case", "source", "collection", "ref_hash"], name="cases_item_once"
            ),
            models.CheckConstraint(
                name="cases_withheld_under_an_exemption",
                condition=models.Q(decision__in=["undecided", "disclose", "redact", "act"])
                & models.Q(is_silent=False)
                | models.Q(decision__in=["withhold", "keep"]) & ~models.Q(exemption=""),
            ),
        ]
        indexes = [
            models.Index(fields=["case", "source", "collection", "number"], name="cases_item_by_group")
        ]

    @property
    def sealing_key_id(self) -> UUID:
        return self.case.collected_key_id
