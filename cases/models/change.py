"""What is to be changed in the source systems for a case, line by line, and what was done about it.

A plan is made of lines: one record, what becomes of it, and by which rule. Rules propose, a human decides, a second
one approves; then each line becomes steps, one call each, with the source's receipt. What is still there afterwards
is a finding, and holds the case.
"""

from typing import Any
from uuid import UUID

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from cases.models.case import AboutTheFound, Case
from cases.models.collection import Item, SourceSystem
from cases.models.disclosure import Decision
from dsar.vault.fields import sealed_json, sealed_text
from identity.models import TenantModel, User


class PlanStage(models.TextChoices):
    MAKING = "making", _("being made")
    READY = "ready", _("ready to be decided")
    APPROVED = "approved", _("approved, not begun")
    EXECUTING = "executing", _("being carried out")
    PROVING = "proving", _("being checked")
    DONE = "done", _("done")
    VOID = "void", _("void")


class ChangePlan(TenantModel):
    """What is to be done to the records of a case. One lives at a time; an abandoned one stays as it was."""

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="plans")
    number = models.PositiveIntegerField()
    stage = models.CharField(max_length=10, choices=PlanStage, default=PlanStage.MAKING)
    decision = models.ForeignKey(Decision, on_delete=models.PROTECT, null=True, related_name="plans")
    ground = models.CharField(
        max_length=40, blank=True, db_default="", help_text="why (Art 17(1)), of the picklist"
    )
    made_at = models.DateTimeField()
    executes_at = models.DateTimeField(null=True, help_text="when the time to cancel is over")
    expedited_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    expedited_at = models.DateTimeField(null=True)
    expedite_reason: str | None = sealed_text(null=True, default=None)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(fields=["case", "number"], name="cases_plan_number_once"),
            models.UniqueConstraint(
                fields=["case"],
                name="cases_one_live_plan",
                condition=~models.Q(stage__in=["done", "void"]),
            ),
        ]

    @property
    def sealing_key_id(self) -> UUID:
        return self.case.file_key_id


class Treatment(models.TextChoices):
    """What becomes of one record."""

    DELETE = "delete", _("delete")
    ANONYMISE = "anonymise", _("anonymise")
    BLOCK = "block", _("block")
    KEEP = "keep", _("keep")
    REFER = "refer", _("not ours: refer")
    CORRECT = "correct", _("correct")
    SUPPLEMENT = "supplement", _("add a statement")
    REFUSE = "refuse", _("refuse to correct")
    RESTRICT = "restrict", _("restrict")
    LIFT = "lift", _("lift the restriction")


class LineState(models.TextChoices):
    PROPOSED = "proposed", _("proposed")
    DECIDED = "decided", _("decided")
    RETURNED = "returned", _("sent back")
    APPROVED = "approved", _("approved")
    STALE = "stale", _("changed meanwhile")
    DONE = "done", _("done")
    REFUSED = "refused", _("refused by the source")
    FAILED = "failed", _("failed")


class PlannedChange(AboutTheFound):
    """One line: a record, what becomes of it, and why.

    ``wanted`` holds the fields' values afterwards, or how each is made anonymous; ``expected`` what they held when it
    was decided. Both are gone with the key of the collected data; codes, counts and receipts stay.
    """

    plan = models.ForeignKey(ChangePlan, on_delete=models.CASCADE, related_name="lines")
    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="+", db_index=False)
    item = models.ForeignKey(Item, on_delete=models.SET_NULL, null=True, related_name="+")
    source = models.ForeignKey(SourceSystem, on_delete=models.PROTECT, null=True, related_name="+")
    collection = models.CharField(max_length=120, help_text="the record type in the source")
    number = models.PositiveIntegerField(help_text="order within the plan")
    treatment = models.CharField(max_length=12, choices=Treatment)
    wanted: Any = sealed_json(help_text="by field: the value afterwards, or the strategy that makes it")
    expected: Any = sealed_json(help_text="by field: what it held when it was decided")
    basis = models.CharField(max_length=40, blank=True, help_text="ground or exception, code of the picklist")
    rule = models.CharField(max_length=120, blank=True, help_text="what proposed it; empty: a human")
    reason: str = sealed_text(key_attribute="file_key_id", help_text="the human's words")
    by_hand = models.BooleanField(default=False, help_text="no connector can: a task for a human")
    may_write = models.BooleanField(
        default=False,
        db_default=False,
        help_text="the record itself bears the verified identity, or hangs on one that does, and is nobody else's",
    )
    obstacle = models.CharField(max_length=20, blank=True, help_text="what the source said in the dry run")
    remedy = models.TextField(blank=True, help_text="what to do about it, without personal data")
    predicted = models.CharField(max_length=12, blank=True, help_text="what the source will really do")
    state = models.CharField(max_length=10, choices=LineState, default=LineState.PROPOSED)
    decided_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    decided_at = models.DateTimeField(null=True)
    approved_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    approved_at = models.DateTimeField(null=True)
    return_reason: str = sealed_text(key_attribute="file_key_id")

    class Meta:
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(fields=["plan", "number"], name="cases_line_number_once"),
            models.UniqueConstraint(
                fields=["plan", "item"],
                name="cases_line_once_per_item",
                condition=models.Q(item__isnull=False),
            ),
            models.CheckConstraint(
                name="cases_kept_under_an_exception",
                condition=~models.Q(treatment__in=["keep", "refuse"]) | ~models.Q(basis=""),
            ),
            models.CheckConstraint(
                name="cases_line_writes_what_is_proven",
                condition=models.Q(treatment__in=["keep", "refer", "refuse"])
                | models.Q(by_hand=True)
                | models.Q(may_write=True),
            ),
            models.CheckConstraint(
                name="cases_line_approved_by_another",
                condition=models.Q(approved_by__isnull=True)
                | models.Q(decided_by__isnull=True)
                | ~models.Q(approved_by=models.F("decided_by")),
            ),
        ]
        indexes = [
            models.Index(fields=["plan", "source", "collection", "treatment"], name="cases_line_by_group"),
            models.Index(fields=["plan", "state", "number"], name="cases_line_by_state"),
        ]

    @property
    def key(self) -> str:
        """What tells its wish from every other, for ever."""
        return self.pk.hex


class PartStage(models.TextChoices):
    WAITING = "waiting", _("waiting")
    PLANNING = "planning", _("dry run under way")
    PLANNED = "planned", _("dry run done")
    EXECUTING = "executing", _("being carried out")
    PROVING = "proving", _("being checked")
    DONE = "done", _("done")
    HELD = "held", _("on hold")
    FAILED = "failed", _("error")


class PlanPart(TenantModel):
    """One source's part of a plan: how far it is, and why it does not go on. None as source: done by hand alone."""

    plan = models.ForeignKey(ChangePlan, on_delete=models.CASCADE, related_name="parts")
    source = models.ForeignKey(SourceSystem, on_delete=models.PROTECT, related_name="+")
    stage = models.CharField(max_length=10, choices=PartStage, default=PartStage.WAITING)
    generation = models.PositiveIntegerField(
        default=0,
        db_default=0,
        help_text="rises with each change of its lines: which dry run is the present one",
    )
    looked = models.PositiveIntegerField(
        default=0, db_default=0, help_text="lines that the present dry run has asked the source about"
    )
    held_for = models.CharField(max_length=20, blank=True)
    digest = models.CharField(
        max_length=64, blank=True, help_text="of the connector's plan that was approved"
    )
    steps_total = models.PositiveIntegerField(default=0)
    steps_done = models.PositiveIntegerField(default=0)
    error_code = models.CharField(max_length=60, blank=True)
    error_text = models.TextField(blank=True, help_text="a sentence without personal data, and what to do")
    tasks = ArrayField(
        models.TextField(),
        default=list,
        db_default=[],
        help_text="what a human has to see to in the source itself, as the dry run said it",
    )
    backups_gone_on = models.DateField(null=True, help_text="when the source's backups are overwritten")
    planned_at = models.DateTimeField(null=True)
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    proven_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["source__name"]
        constraints = [models.UniqueConstraint(fields=["plan", "source"], name="cases_part_once_per_plan")]


class StepState(models.TextChoices):
    WAITING = "waiting", _("waiting")
    TRYING = "trying", _("under way")
    PENDING = "pending", _("accepted by the source, not done yet")
    DONE = "done", _("done")
    ALREADY = "already", _("was so already")
    REFUSED = "refused", _("refused")
    STALE = "stale", _("changed meanwhile")
    FAILED = "failed", _("failed")


class ChangeStep(TenantModel):
    """One call that changes one record, and its receipt: what, where, how, when, and what the source answered.

    ``action`` may hold personal data and is gone with the key of the collected data; the receipt holds none.
    """

    part = models.ForeignKey(PlanPart, on_delete=models.CASCADE, related_name="steps")
    line = models.ForeignKey(PlannedChange, on_delete=models.CASCADE, related_name="steps")
    number = models.PositiveIntegerField(help_text="order within the part")
    key = models.CharField(max_length=64, help_text="the action's, the same each time")
    verb = models.CharField(max_length=20)
    action: Any = sealed_json(help_text="as the connector planned it")
    after = ArrayField(
        models.CharField(max_length=64), default=list, help_text="keys of steps that come first"
    )
    state = models.CharField(max_length=10, choices=StepState, default=StepState.WAITING)
    attempts = models.PositiveSmallIntegerField(default=0)
    effect = models.CharField(max_length=12, blank=True, help_text="what reading it again showed")
    request = models.CharField(max_length=300, blank=True, help_text="the shape of the call, without values")
    status = models.IntegerField(null=True)
    vendor_request = models.CharField(max_length=120, blank=True)
    answer_hash = models.CharField(max_length=64, blank=True)
    ticket = models.CharField(max_length=200, blank=True, help_text="what the vendor's job is asked after by")
    obstacle = models.CharField(max_length=20, blank=True)
    error_code = models.CharField(max_length=60, blank=True)
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(fields=["part", "key"], name="cases_step_once"),
            models.UniqueConstraint(fields=["part", "number"], name="cases_step_number_once"),
        ]
        indexes = [models.Index(fields=["part", "state", "number"], name="cases_step_by_state")]

    @property
    def sealing_key_id(self) -> UUID:
        return self.line.case.collected_key_id


class Settled(models.TextChoices):
    OPEN = "", _("open")
    GONE = "gone", _("gone since")
    AGAIN = "again", _("carried out again")
    ACCEPTED = "accepted", _("accepted, with a reason")


class Leftover(TenantModel):
    """Something of the person that is still there after an erasure, or that could not be looked for. It holds the case.

    Two people settle what stays: who proposes it gives the reason, another agrees.
    """

    part = models.ForeignKey(PlanPart, on_delete=models.CASCADE, related_name="leftovers")
    line = models.ForeignKey(PlannedChange, on_delete=models.SET_NULL, null=True, related_name="leftovers")
    place: Any = sealed_json(help_text="reference and record type, as the connector names them")
    where = models.CharField(max_length=200, help_text="the place alone, without personal data")
    remains = models.CharField(max_length=15)
    found_at = models.DateTimeField()
    settled = models.CharField(max_length=10, choices=Settled, blank=True, default="")
    reason: str = sealed_text(key_attribute="file_key_id")
    proposed_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    settled_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    settled_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["found_at", "id"]
        constraints = [
            models.CheckConstraint(
                name="cases_leftover_accepted_by_two",
                condition=~models.Q(settled="accepted")
                | models.Q(proposed_by__isnull=False, settled_by__isnull=False)
                & ~models.Q(proposed_by=models.F("settled_by")),
            )
        ]

    @property
    def sealing_key_id(self) -> UUID:
        return self.part.plan.case.collected_key_id

    @property
    def file_key_id(self) -> UUID:
        return self.part.plan.case.file_key_id


class KeepingRule(TenantModel):
    """What a controller keeps though somebody asks for its erasure: by category or table, and age.

    An invoice of last year stays under the tax law, and the marketing profile goes. After ``keep_months`` from the
    record's own ``date_field`` the rule keeps it no longer.
    """

    slug = models.SlugField()
    source = models.ForeignKey(
        SourceSystem, on_delete=models.CASCADE, null=True, blank=True, related_name="+"
    )
    collection = models.CharField(max_length=120, blank=True, help_text="record type; empty: any")
    parts = ArrayField(
        models.CharField(max_length=120),
        default=list,
        db_default=[],
        blank=True,
        help_text="record types that belong to such a record: the lines of an invoice stay with it",
    )
    category = models.CharField(
        max_length=120, blank=True, help_text="data category and all beneath it; empty: any"
    )
    date_field = models.CharField(
        max_length=120, blank=True, help_text="from which the months run; empty: for ever"
    )
    keep_months = models.PositiveIntegerField(null=True, blank=True)
    treatment = models.CharField(max_length=12, choices=Treatment, default=Treatment.KEEP)
    exception = models.CharField(max_length=40, blank=True, help_text="code of the picklist (Art 17(3))")
    strategies = models.JSONField(default=dict, help_text="by field: how it is made anonymous")
    words = models.CharField(max_length=300, blank=True, help_text="why, as the letter says it")

    class Meta:
        ordering = ["slug"]
        constraints = [
            models.UniqueConstraint(fields=["controller", "slug"], name="cases_keeping_rule_once"),
            models.CheckConstraint(
                name="cases_kept_by_rule_under_an_exception",
                condition=~models.Q(treatment__in=["keep", "block"]) | ~models.Q(exception=""),
            ),
            models.CheckConstraint(
                name="cases_keeping_rule_age_from_a_field",
                condition=models.Q(keep_months__isnull=True) | ~models.Q(date_field=""),
            ),
        ]
