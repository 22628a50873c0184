"""The case: one right of one subject request, as a finite-state machine.

The declarations below are the whole machine; ``cases.workflow.perform`` is the only caller. A transition's
body touches the case's own fields and nothing else. docs/states.md is generated from here.
"""

from typing import Any, Self
from uuid import UUID

from django.db import models
from django.db.models.functions import Coalesce, Least
from django_fsm import RETURN_VALUE, transition

from cases.models.data_subject import DataSubject
from cases.models.subject_request import SubjectRequest
from cases.permissions import may
from cases.words import CLOSINGS, SUFFIX, Outcome, Right, State
from dsar.lib.fsm import StateField, StatefulModel
from dsar.vault.fields import sealed_text
from dsar.vault.models import VaultKey
from identity.models import IdentityPolicy, Team, TenantModel, TenantQuerySet, User
from identity.roles import Permission

OPEN = [state for state in State if state != State.CLOSED]
QUESTIONABLE = [State.RECEIVED, State.SEARCHING, State.REVIEW]
CLOSABLE = [
    State.RECEIVED,
    State.AWAITING_IDENTITY,
    State.AWAITING_CLARIFICATION,
    State.AWAITING_FEE,
    State.SEARCHING,
    State.REVIEW,
]
DECIDED = [State.APPROVAL, State.WITH_CONTROLLER]
# What ``cases.authority`` says where nobody has to show authority, and where it was shown and holds.
AUTHORISED = ("", "valid")


class CaseQuerySet(TenantQuerySet["Case"]):
    def open(self) -> Self:
        return self.exclude(state=State.CLOSED)

    def counted(self) -> Self:
        """Without drills, which no statistic and no ordinary queue shows."""
        return self.filter(is_drill=False)


def identity_suffices(case: Any) -> bool:
    """The level reached is the level that the controller's policy asks for this right (Art 12(6))."""
    return bool(case.identity_level >= case.required_level)


def authority_suffices(case: Any) -> bool:
    """Who asks for somebody else has shown that they may, for this right, and it still holds (Art 12(2), (6))."""
    return case.authority in AUTHORISED


def requester_suffices(case: Any) -> bool:
    """Whoever asks is known well enough, and may ask."""
    return identity_suffices(case) and authority_suffices(case)


def identity_suffices_for_answer(case: Any) -> bool:
    """The same for what is proposed; an end that tells nothing of the person's data needs no proof of who asks."""
    return bool(tells_nothing(case) or identity_suffices(case))


def authority_suffices_for_answer(case: Any) -> bool:
    """The same for whoever asks for somebody else."""
    return tells_nothing(case) or authority_suffices(case)


def tells_nothing(case: Any) -> bool:
    """What is proposed says nothing of what is known of the person."""
    if case.proposed_outcome == Outcome.REFUSED:
        return not case.items.exists()
    return case.proposed_outcome in CLOSINGS


# Conditions that rest on who asks: what they read is brought up to date right before they are judged.
ON_IDENTITY = frozenset(
    {identity_suffices, identity_suffices_for_answer, authority_suffices, authority_suffices_for_answer}
)


def needs_no_search(case: Any) -> bool:
    """A complaint is about our handling: nothing is collected for it."""
    return bool(case.right == Right.COMPLAINT)


def is_marketing_objection(case: Any) -> bool:
    """An objection to direct marketing is carried out at once, without a test (Art 21(3))."""
    return bool(case.right == Right.OBJECTION and case.about_marketing)


def nothing_carried_out(case: Any) -> bool:
    """Nothing was sent or changed, and no change is under way of which nobody knows yet whether it was made."""
    return (
        not case.carried_out and not case.plans.filter(parts__steps__state__in=["trying", "pending"]).exists()
    )


def proposal_stands(case: Any) -> bool:
    return bool(case.proposed_outcome)


def may_be_decided_here(case: Any) -> bool:
    """The controller's instruction lets the processor decide; set when the decision was proposed."""
    return not case.controller_decides


class Case(TenantModel, StatefulModel):
    """One right, its state, its clock's result and its outcome."""

    subject_request = models.ForeignKey(SubjectRequest, on_delete=models.PROTECT, related_name="cases")
    subject = models.ForeignKey(DataSubject, on_delete=models.PROTECT, related_name="cases")
    right = models.CharField(max_length=15, choices=Right.choices)
    about_marketing = models.BooleanField(default=False)
    ends_marketing = models.BooleanField(
        default=False, db_default=False, help_text="an erasure that also asks never to be advertised to again"
    )
    names_recipients = models.BooleanField(
        default=False, db_default=False, help_text="the person asked who received their data (Article 19)"
    )
    state = StateField(choices=State.choices, default=State.RECEIVED)
    resume_state = models.CharField(
        max_length=30, blank=True, help_text="where a question or proposal came from"
    )
    proposed_outcome = models.CharField(max_length=30, choices=Outcome.choices, blank=True)
    controller_decides = models.BooleanField(default=True)
    outcome = models.CharField(max_length=30, choices=Outcome.choices, blank=True)
    carried_out = models.BooleanField(default=False, help_text="something was sent, erased or corrected")
    identity_level = models.PositiveSmallIntegerField(default=0)
    required_level = models.PositiveSmallIntegerField()
    identity_policy = models.ForeignKey(
        IdentityPolicy,
        on_delete=models.PROTECT,
        null=True,
        related_name="+",
        help_text="in force when it was asked; empty: the house's own",
    )
    identity_rule = models.CharField(
        max_length=60, blank=True, db_default="", help_text="the rule that asks for the level"
    )
    authority = models.CharField(
        max_length=20,
        blank=True,
        db_default="",
        help_text="empty where none is needed, else valid or what is wrong with it",
    )
    regime = models.CharField(max_length=20)
    regime_version = models.CharField(max_length=20)
    received_at = models.DateTimeField()
    due_on = models.DateField(null=True, help_text="a cache of what the clock events say")
    target_on = models.DateField(null=True)
    clock_state = models.CharField(max_length=20, default="running", help_text="as the deadline engine says")
    letter_on = models.DateField(null=True, help_text="by when a letter with reasons is out, answered or not")
    paused_on = models.DateField(null=True, help_text="since when the clock waits for the requester")
    urgent_on = models.GeneratedField(
        expression=Coalesce(
            models.Case(
                models.When(
                    clock_state__in=["paused", "not_started"],
                    then=Least(models.F("due_on"), models.F("letter_on")),
                ),
                default=models.F("due_on"),
            ),
            models.F("target_on"),
        ),
        output_field=models.DateField(null=True),
        db_persist=True,
        help_text="by when something has to be out: the answer, or a letter with reasons while nobody answers us",
    )
    proof_looked_on = models.DateField(
        null=True, help_text="the day on which an unanswered question for identity was last looked at"
    )
    dates_version = models.PositiveIntegerField(default=0, db_default=0, help_text="rises with each move")
    dates_moved_at = models.DateTimeField(null=True)
    owner = models.ForeignKey(
        User, on_delete=models.SET_NULL, null=True, blank=True, related_name="owned_cases"
    )
    team = models.ForeignKey(Team, on_delete=models.SET_NULL, null=True, blank=True, related_name="cases")
    linked_to = models.ForeignKey("self", on_delete=models.PROTECT, null=True, related_name="linked_from")
    collected_key = models.ForeignKey(VaultKey, on_delete=models.PROTECT, related_name="+")
    file_key = models.ForeignKey(VaultKey, on_delete=models.PROTECT, related_name="+")
    opened_at = models.DateTimeField()
    state_since = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)
    version = models.PositiveIntegerField(default=1, help_text="rises with each act; forms send it back")
    is_drill = models.BooleanField(default=False)

    objects = CaseQuerySet.as_manager()  # type: ignore[misc]

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["subject_request", "right"], name="cases_one_case_per_right"),
            models.CheckConstraint(name="cases_state_known", condition=models.Q(state__in=State.values)),
            models.CheckConstraint(
                name="cases_outcome_when_closed",
                condition=(
                    models.Q(state="closed") & ~models.Q(outcome="") & models.Q(closed_at__isnull=False)
                )
                | (~models.Q(state="closed") & models.Q(outcome="") & models.Q(closed_at__isnull=True)),
            ),
            models.CheckConstraint(
                name="cases_marketing_objection_never_refused",
                condition=models.Q(about_marketing=False)
                | ~models.Q(outcome="refused") & ~models.Q(proposed_outcome="refused"),
            ),
        ]
        indexes = [
            models.Index(
                fields=["controller", "urgent_on", "id"],
                name="cases_queue",
                condition=~models.Q(state="closed") & models.Q(is_drill=False),
            ),
            models.Index(
                fields=["controller", "state", "urgent_on", "id"],
                name="cases_queue_by_state",
                condition=~models.Q(state="closed") & models.Q(is_drill=False),
            ),
            models.Index(
                fields=["controller", "urgent_on", "id"],
                name="cases_unassigned",
                condition=~models.Q(state="closed") & models.Q(is_drill=False, owner=None),
            ),
            models.Index(
                fields=["controller", "due_on"],
                name="cases_by_due",
                condition=~models.Q(state="closed") & models.Q(is_drill=False),
            ),
            models.Index(
                fields=["controller", "target_on"],
                name="cases_by_target",
                condition=~models.Q(state="closed") & models.Q(is_drill=False, clock_state="running"),
            ),
            models.Index(
                fields=["controller", "paused_on"],
                name="cases_waiting",
                condition=~models.Q(state="closed")
                & ~models.Q(clock_state="running")
                & models.Q(is_drill=False),
            ),
            models.Index(
                fields=["controller", "id"], name="cases_open_by_id", condition=~models.Q(state="closed")
            ),
            models.Index(fields=["subject_request"], name="cases_by_request"),
            models.Index(fields=["subject"], name="cases_by_subject"),
            models.Index(
                fields=["owner", "urgent_on"], name="cases_mine", condition=~models.Q(state="closed")
            ),
            models.Index(
                fields=["controller", "-closed_at"], name="cases_closed", condition=models.Q(state="closed")
            ),
            models.Index(
                fields=["controller", "id"],
                name="cases_unverified",
                condition=models.Q(state="closed", outcome="identity_not_verified"),
            ),
        ]

    def __str__(self) -> str:
        return self.reference

    @property
    def reference(self) -> str:
        """As people say it: K7QF-2M9D/A."""
        return f"{self.subject_request.reference}/{SUFFIX[self.right]}"

    @property
    def sealing_key_id(self) -> UUID:
        return self.file_key_id

    @property
    def is_open(self) -> bool:
        return bool(self.state != State.CLOSED)

    @property
    def takes_proof(self) -> bool:
        """Whether showing who one is still helps: of what ended for want of it alone, it opens the case again."""
        return bool(self.is_open or self.outcome == Outcome.IDENTITY_NOT_VERIFIED)

    @property
    def waits_for_proof(self) -> bool:
        """Whether it is the proof of who asks that is missing, even where an end for want of it is proposed or made."""
        ends = {self.proposed_outcome, self.outcome}
        return bool(self.state == State.AWAITING_IDENTITY or Outcome.IDENTITY_NOT_VERIFIED in ends)

    # -- identity --------------------------------------------------------------------------------

    @transition(
        "state",
        State.RECEIVED,
        State.AWAITING_IDENTITY,
        permission=may(Permission.LOG_REQUEST, Permission.WORK, system=True, customer=True),
    )
    def ask_identity(self) -> None:
        """The requester is asked to prove who they are."""

    @transition(
        "state",
        [State.RECEIVED, State.AWAITING_IDENTITY],
        State.SEARCHING,
        conditions=[identity_suffices, authority_suffices],
        permission=may(Permission.WORK, system=True),
    )
    def begin_search(self) -> None:
        """Identity suffices: the collection, or the finding of the records concerned, begins."""

    @transition(
        "state",
        State.RECEIVED,
        State.REVIEW,
        conditions=[needs_no_search],
        permission=may(Permission.WORK, system=True),
    )
    def begin_review(self) -> None:
        """There is nothing to search for."""

    @transition(
        "state",
        State.RECEIVED,
        State.FULFILLING,
        conditions=[is_marketing_objection],
        permission=may(Permission.LOG_REQUEST, Permission.WORK, system=True),
    )
    def stop_marketing(self) -> None:
        """Art 21(3): stopped at once."""
        self.proposed_outcome = Outcome.FULFILLED

    # -- questions -------------------------------------------------------------------------------

    @transition("state", QUESTIONABLE, State.AWAITING_CLARIFICATION, permission=may(Permission.WORK))
    def ask_clarification(self) -> None:
        """Further information is reasonably required (UK Art 12A(5); EU Recital 63)."""
        self.resume_state = self.state

    @transition(
        "state",
        State.AWAITING_CLARIFICATION,
        RETURN_VALUE(*QUESTIONABLE),
        permission=may(Permission.WORK, system=True, customer=True),
    )
    def receive_clarification(self) -> str:
        """Any reply ends the wait, even a refusal to narrow."""
        return self._resumed()

    @transition("state", QUESTIONABLE, State.AWAITING_FEE, permission=may(Permission.WORK))
    def ask_fee(self) -> None:
        """A reasonable fee is charged (Art 12(5)(a))."""
        self.resume_state = self.state

    @transition("state", State.AWAITING_FEE, RETURN_VALUE(*QUESTIONABLE), permission=may(Permission.WORK))
    def receive_fee(self) -> str:
        """The fee was paid, or is waived."""
        return self._resumed()

    # -- search and review -----------------------------------------------------------------------

    @transition("state", State.SEARCHING, State.REVIEW, permission=may(Permission.WORK, system=True))
    def finish_search(self) -> None:
        """Every source has answered, or a second person waived it."""

    @transition("state", State.REVIEW, State.SEARCHING, permission=may(Permission.WORK, system=True))
    def search_again(self) -> None:
        """Sources are searched again."""

    @transition(
        "state",
        State.REVIEW,
        State.APPROVAL,
        conditions=[proposal_stands, authority_suffices_for_answer],
        permission=may(Permission.WORK),
    )
    def submit(self) -> None:
        """What will go out stands ready for the second pair of eyes."""
        self.resume_state = State.REVIEW

    @transition(
        "state",
        CLOSABLE,
        State.APPROVAL,
        conditions=[proposal_stands],
        permission=may(Permission.WORK, system=True),
    )
    def propose_closing(self) -> None:
        """A refusal, or an end without an answer, is proposed; it ends somebody's right."""
        self.resume_state = self.state

    # -- decision --------------------------------------------------------------------------------

    @transition(
        "state",
        State.APPROVAL,
        State.FULFILLING,
        conditions=[
            proposal_stands,
            may_be_decided_here,
            identity_suffices_for_answer,
            authority_suffices_for_answer,
        ],
        permission=may(Permission.APPROVE),
    )
    def approve(self) -> None:
        """The second pair of eyes agrees, and the instruction lets the processor decide."""

    @transition(
        "state",
        State.APPROVAL,
        State.WITH_CONTROLLER,
        conditions=[proposal_stands, identity_suffices_for_answer, authority_suffices_for_answer],
        permission=may(Permission.APPROVE),
    )
    def hand_to_controller(self) -> None:
        """The controller's own reviewer decides; the clock runs on."""

    @transition(
        "state",
        State.WITH_CONTROLLER,
        State.FULFILLING,
        conditions=[proposal_stands, identity_suffices_for_answer, authority_suffices_for_answer],
        permission=may(Permission.APPROVE_FOR_CONTROLLER),
    )
    def approve_for_controller(self) -> None:
        """The controller agrees."""

    @transition(
        "state", State.APPROVAL, RETURN_VALUE(*CLOSABLE), permission=may(Permission.APPROVE, Permission.WORK)
    )
    def return_to_handler(self) -> str:
        """Not like this: back, with a reason. The preparer may take it back so too."""
        self.proposed_outcome = ""
        return self._resumed()

    @transition(
        "state",
        State.WITH_CONTROLLER,
        RETURN_VALUE(*CLOSABLE),
        permission=may(Permission.APPROVE_FOR_CONTROLLER),
    )
    def return_from_controller(self) -> str:
        """The controller disagrees: back, with a reason."""
        self.proposed_outcome = ""
        return self._resumed()

    @transition(
        "state",
        DECIDED,
        State.SEARCHING,
        conditions=[identity_suffices, authority_suffices],
        permission=may(Permission.WORK, system=True, customer=True),
    )
    def take_late_answer(self) -> None:
        """A late answer voids what was proposed, and the sources are searched again."""
        self.proposed_outcome = ""
        self.resume_state = ""

    # -- the end ---------------------------------------------------------------------------------

    @transition(
        "state",
        State.FULFILLING,
        State.CLOSED,
        conditions=[proposal_stands],
        permission=may(system=True),
    )
    def close(self) -> None:
        """Everything that the decision commands was done."""
        self.outcome = self.proposed_outcome

    @transition(
        "state",
        State.FULFILLING,
        State.REVIEW,
        conditions=[nothing_carried_out],
        permission=may(Permission.WORK, Permission.APPROVE, system=True),
    )
    def take_back(self) -> None:
        """What was approved cannot be done as it stands; nothing was carried out yet."""
        self.proposed_outcome = ""

    @transition(
        "state",
        OPEN,
        State.CLOSED,
        conditions=[nothing_carried_out],
        permission=may(Permission.LOG_REQUEST, Permission.WORK, customer=True),
    )
    def withdraw(self) -> None:
        """The requester takes the request back, before anything was carried out."""
        self.outcome = Outcome.WITHDRAWN

    @transition(
        "state",
        [State.RECEIVED, State.AWAITING_IDENTITY],
        State.CLOSED,
        conditions=[nothing_carried_out],
        permission=may(Permission.LOG_REQUEST, Permission.CORRECT),
    )
    def void(self) -> None:
        """Logged in haste for the wrong brand or person, and logged again rightly."""
        self.outcome = Outcome.LOGGED_IN_ERROR

    @transition(
        "state",
        State.CLOSED,
        State.SEARCHING,
        conditions=[identity_suffices, authority_suffices],
        permission=may(Permission.WORK, system=True),
    )
    def reopen_to_search(self) -> None:
        """Something was missed: search again."""
        self._reopened()

    @transition("state", State.CLOSED, State.REVIEW, permission=may(Permission.WORK))
    def reopen_to_review(self) -> None:
        """Something was missed: review again."""
        self._reopened()

    def _resumed(self) -> str:
        state, self.resume_state = self.resume_state, ""
        return state

    def _reopened(self) -> None:
        self.outcome = self.proposed_outcome = ""
        self.carried_out = False
        self.closed_at = None

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save without the state, which only the workflow writes; a stale object can't set it back."""
        if not self._state.adding and kwargs.get("update_fields") is None:
            kwargs["update_fields"] = [
                field.name for field in self._meta.concrete_fields if field.name not in {"id", "state"}
            ]
        super().save(*args, **kwargs)


PROPOSABLE_CLOSINGS = frozenset(CLOSINGS)


class Note(TenantModel):
    """What staff wrote down about a case; never shown to the customer."""

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="notes")
    author = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    text: str = sealed_text()
    about = models.CharField(max_length=40, blank=True, help_text="the act that it gives the reason of")
    written_at = models.DateTimeField()

    class Meta:
        ordering = ["written_at"]
        indexes = [models.Index(fields=["case", "written_at"], name="cases_note_by_case")]

    @property
    def sealing_key_id(self) -> UUID:
        return self.case.file_key_id


class AboutTheFound(TenantModel):
    """What belongs to records that were found: content under the key for collected data, words in the case's file."""

    case: Any

    class Meta:
        abstract = True

    @property
    def sealing_key_id(self) -> UUID:
        key_id: UUID = self.case.collected_key_id
        return key_id

    @property
    def file_key_id(self) -> UUID:
        key_id: UUID = self.case.file_key_id
        return key_id
