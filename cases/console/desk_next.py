"""The next action of a case: what to do, for whoever looks, or on whom it waits."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from cases import authority, corrections, queries, rights
from cases.collection import outstanding
from cases.collection.outstanding import Outstanding
from cases.console import desk_carrying
from cases.correspondence.compose import Kind
from cases.fulfilment import plans
from cases.models import (
    Case,
    Decision,
    HeldFor,
    Letter,
    LetterState,
    NoticeState,
    PackState,
    ResponsePack,
    RunState,
    SearchState,
    SourceSearch,
    TaskState,
)
from cases.models.case import authority_suffices, requester_suffices
from cases.permissions import By
from cases.review import items
from cases.words import Right, State
from cases.workflow import carry_out, decide, document, extension
from cases.workflow.perform import available
from dsar.lib.errors import Refused
from identity.roles import Permission

STUCK = (LetterState.FAILED, LetterState.BOUNCED)


@dataclass(frozen=True)
class Offer:
    """A way on: a link, or with ``is_post`` a button that does it at once."""

    label: str
    url: str
    kind: str = "secondary"
    is_post: bool = False
    shortcut: str = ""


@dataclass(frozen=True)
class Next:
    """The one card at the top of a case."""

    title: str
    text: str
    offers: tuple[Offer, ...] = ()
    tone: str = "accent"


@dataclass(frozen=True)
class Situation:
    """What the next action depends on; each part is read when somebody asks for it."""

    case: Case
    by: By

    @cached_property
    def transitions(self) -> list[str]:
        return available(self.case, self.by)

    @cached_property
    def searches(self) -> list[SourceSearch]:
        run = self.case.runs.order_by("-number").first()
        return (
            list(run.searches.select_related("source", "waiver_proposed_by", "waived_by", "run__case"))
            if run
            else []
        )

    @cached_property
    def is_searching(self) -> bool:
        return any(
            one.run.state == RunState.RUNNING and one.state in {SearchState.QUEUED, SearchState.RUNNING}
            for one in self.searches
        )

    @property
    def failed(self) -> list[SourceSearch]:
        return [one for one in self.searches if one.state == SearchState.FAILED]

    @property
    def held(self) -> list[SourceSearch]:
        return [one for one in self.searches if one.state == SearchState.HELD]

    @cached_property
    def undecided(self) -> int:
        return items.undecided(self.case)

    @cached_property
    def outstanding(self) -> Outstanding:
        return outstanding.of(self.case)

    @cached_property
    def open_tasks(self) -> int:
        return self.case.tasks.filter(state=TaskState.OPEN).count()

    @cached_property
    def stuck(self) -> list[Letter]:
        """Those to the requester; recipients have a list of their own."""
        unsent = self.case.letters.filter(state__in=STUCK, is_incoming=False)
        return list(unsent.exclude(kind=Kind.RECIPIENT))

    @cached_property
    def to_post(self) -> list[Letter]:
        return list(self.case.letters.filter(state=LetterState.TO_PRINT, is_incoming=False))

    @cached_property
    def decision(self) -> Decision | None:
        return decide.open_decision(self.case)

    @cached_property
    def pack(self) -> ResponsePack | None:
        found: ResponsePack | None = self.case.packs.exclude(state=PackState.REVOKED).order_by("-id").first()
        return found

    def may(self, permission: Permission) -> bool:
        return self.by.allows(permission, self.case.controller_id)


def next_step(found: Situation) -> Next:
    """What the state asks for; those who may do nothing about it see what it waits for."""
    step = _STEPS[State(found.case.state)](found)
    offers = [offer for offer in step.offers if offer.url]
    if offers and not any(offer.kind == "primary" for offer in offers):
        offers[0] = replace(offers[0], kind="primary")
    return replace(step, offers=tuple(offers))


def act_url(case: Case, name: str, target: Any = None) -> str:
    if target is None:
        return reverse("console:act", args=[case.pk, name])
    return reverse("console:act-on", args=[case.pk, name, target.pk])


def _offer(found: Situation, permission: Permission, label: str, url: str, **options: Any) -> Offer:
    """An offer for whoever holds the permission; without an address it is left out."""
    return Offer(label, url if found.may(permission) else "", **options)


def _work(found: Situation, label: str, name: str, **options: Any) -> Offer:
    return _offer(found, Permission.WORK, label, act_url(found.case, name), **options)


def _received(found: Situation) -> Next:
    if found.case.authority == authority.OUTSIDE:
        return _outside(found)
    if requester_suffices(found.case):
        return Next(
            _("Search the sources"),
            _("Identity suffices for this right."),
            (_work(found, _("Begin the search"), "begin-search", is_post=True, shortcut="b"),),
        )
    return Next(
        _("Ask for proof of identity"),
        _("This right asks for proof of who the requester is before anything is collected."),
        (
            _work(found, _("Ask for identity"), "ask-identity", is_post=True),
            _offer(
                found,
                Permission.RECORD_IDENTITY,
                _("Record evidence"),
                act_url(found.case, "record-identity"),
            ),
        ),
    )


def _outside(found: Situation) -> Next:
    """Nobody of this kind has a right under this law: they are told so, by a letter that a second person approves."""
    law = authority.outside(found.case)
    return Next(
        _("The law gives this representative no right"),
        _("%(why)s (%(provision)s). Tell them with a letter, which ends the case.")
        % {"why": _(law.name) if law else "", "provision": law.provision if law else ""},
        (
            _offer(
                found,
                Permission.WORK,
                _("Close without an answer"),
                reverse("console:close", args=[found.case.pk]) + "?outcome=not_a_request",
            ),
        ),
        "warning",
    )


def _awaiting_authority(found: Situation) -> Next:
    look = _offer(
        found,
        Permission.RECORD_IDENTITY,
        _("Look at the authority"),
        reverse("console:authority", args=[found.case.pk]),
    )
    if found.case.authority == authority.UNJUDGED:
        return Next(
            _("Look at the authority that came"),
            _("The representative sent what shows that they may ask. Compare it with what this law accepts."),
            (look,),
        )
    return Next(
        _("The representative has to show that they may ask"),
        _(
            "They were asked for it, and the case goes on when it is accepted and they are known. What came by"
            " post can be recorded."
        ),
        (replace(look, label=_("Record what came")),),
    )


def _awaiting_identity(found: Situation) -> Next:
    if not authority_suffices(found.case):
        return _awaiting_authority(found)
    waiting = document.waiting_for_a_look(found.case.subject_request)
    if waiting is not None:
        return Next(
            _("Look at the document that came"),
            _("The customer sent a picture of an identity document. Compare it with the record, and decide."),
            (
                _offer(
                    found,
                    Permission.RECORD_IDENTITY,
                    _("Look at it"),
                    reverse("console:document", args=[found.case.pk, waiting.pk]),
                ),
            ),
        )
    return Next(
        _("The customer has to prove who they are"),
        _(
            "They were asked to, and the case goes on when they do. Evidence that you saw can be recorded here."
        ),
        (
            _offer(
                found,
                Permission.RECORD_IDENTITY,
                _("Record evidence of identity"),
                act_url(found.case, "record-identity"),
            ),
        ),
    )


def _awaiting_clarification(found: Situation) -> Next:
    return Next(
        _("The customer has to answer a question"),
        _("Their answer in the portal moves the case on. What they said elsewhere can be recorded here."),
        (_work(found, _("Record the answer"), "clarified"),),
    )


def _awaiting_fee(found: Situation) -> Next:
    return Next(
        _("The customer has to pay a fee"),
        _("Record the payment when it has arrived."),
        (_work(found, _("Record the payment"), "paid"),),
    )


def _searching(found: Situation) -> Next:
    if found.failed and not found.is_searching:
        names = ", ".join(one.source.name for one in found.failed)
        return Next(
            _("A source could not be searched"),
            _("%(names)s: search it again, or propose to go on without it. No answer goes out before.")
            % {"names": names},
            (
                _offer(
                    found,
                    Permission.WORK,
                    _("Search %(name)s again") % {"name": found.failed[0].source.name},
                    act_url(found.case, "rerun", found.failed[0]),
                    is_post=True,
                ),
            ),
            "danger",
        )
    if found.held and not found.is_searching:
        return _on_hold(found)
    return Next(
        _("The sources are being searched"),
        _("Nothing needs doing. Review begins when the last source has answered."),
    )


def _on_hold(found: Situation) -> Next:
    """Nothing runs any more: what is left waits for somebody or something."""
    asking = [one for one in found.held if one.held_for == HeldFor.AGREEMENT]
    if asking:
        name = asking[0].source.name
        return Next(
            _("%(name)s asks for your agreement") % {"name": name},
            _("To find the person there, whole lists have to be read. Below it says how much that is."),
            (
                _offer(
                    found,
                    Permission.WORK,
                    _("Agree: read all of %(name)s") % {"name": name},
                    act_url(found.case, "agree-to-search", asking[0]),
                    is_post=True,
                ),
            ),
        )
    names = ", ".join(one.source.name for one in found.held)
    return Next(
        _("The search waits"),
        _("%(names)s: below it says why. It goes on by itself; the clock runs on.") % {"names": names},
        tone="warning",
    )


def _review(found: Situation) -> Next:
    is_planned = found.case.right == Right.ERASURE
    review = _offer(
        found,
        Permission.WORK,
        _("Decide the plan") if is_planned else _("Review the items"),
        reverse("console:plan" if is_planned else "console:review", args=[found.case.pk]),
        shortcut="r",
    )
    submit = _offer(
        found,
        Permission.WORK,
        _("Prepare the answer"),
        reverse("console:submit", args=[found.case.pk]),
        shortcut="s",
    )
    if found.case.right == Right.COMPLAINT:
        return Next(
            _("Look into the complaint"),
            _(
                "Find out what happened, then say what becomes of it. Whoever dealt with the request stays out."
            ),
            (replace(submit, label=_("Prepare the answer")),),
        )
    if found.outstanding.to_decide:
        return _doubts(found, review)
    if corrections.is_by_value(found.case):
        return _by_value(found, submit)
    if not found.undecided:
        return Next(
            _("Prepare the answer"),
            _("Every item is decided. Write the letter and send it to approval."),
            (submit, review),
        )
    if is_planned and (returned := plans.returned(found.case)):
        return _sent_back(returned, review)
    text = ngettext(
        "%(count)s item is still to be decided.", "%(count)s items are still to be decided.", found.undecided
    )
    return Next(_("Review what was found"), text % {"count": found.undecided}, (review,))


def _sent_back(returned: int, review: Offer) -> Next:
    """Single lines that the approver wants decided otherwise; what else was decided stands."""
    text = ngettext(
        "%(count)s line came back with a reason. Decide about it anew; what else was decided stands.",
        "%(count)s lines came back with a reason. Decide about them anew; what else was decided stands.",
        returned,
    )
    return Next(_("An approver sent something back"), text % {"count": returned}, (review,), "warning")


def _by_value(found: Situation, submit: Offer) -> Next:
    """Disputed values first, then what the sources say to it, then the letter."""
    case, left = found.case, corrections.undecided(found.case)
    decide_ = _offer(
        found,
        Permission.WORK,
        _("Decide the corrections"),
        reverse("console:corrections", args=[case.pk]),
        shortcut="r",
    )
    if left:
        text = ngettext(
            "%(count)s disputed value is still to be decided.",
            "%(count)s disputed values are still to be decided.",
            left,
        )
        return Next(_("Decide what is put right"), text % {"count": left}, (decide_,))
    try:
        plans.demand_ready(case)
    except Refused as waits:
        return Next(_("The sources are tried first"), str(waits), (decide_,))
    return Next(
        _("Prepare the answer"),
        _("Every value is decided, and the sources can do it. Write the letter and send it to approval."),
        (submit, decide_),
    )


def _doubts(found: Situation, review: Offer) -> Next:
    """Matches, records and files first, since they may bring more items; then fields, which may be another's to say."""
    left, case = found.outstanding, found.case
    of_fields = left.to_decide == left.fields
    name, label = ("fields", _("Look at the fields")) if of_fields else ("doubts", _("Look and decide"))
    look = _offer(found, Permission.VIEW_CONTENT, label, reverse(f"console:{name}", args=[case.pk]))
    title = _("Say what the new fields are") if of_fields else _("Say whose it is")
    return Next(
        title,
        _("No answer goes out before that: the search could not settle it alone."),
        (look, review),
        "warning",
    )


def _approval(found: Situation) -> Next:
    return _proposal(
        found,
        Permission.APPROVE,
        _("A second person has to approve"),
        _("%(name)s proposed: %(outcome)s. Whoever prepared it cannot approve it."),
    )


def _with_controller(found: Situation) -> Next:
    return _proposal(
        found,
        Permission.APPROVE_FOR_CONTROLLER,
        _("The controller has to decide"),
        _(
            "%(name)s proposed: %(outcome)s. The controller's instruction keeps this decision for its reviewer."
        ),
    )


def _proposal(found: Situation, permission: Permission, title: str, text: str) -> Next:
    decision = found.decision
    words = {"name": decision.proposer, "outcome": decision.get_outcome_display()} if decision else {}
    is_own = decision is not None and decision.is_own(found.by.person_id)
    look = _offer(found, permission, _("Look and decide"), reverse("dpo:decision", args=[found.case.pk]))
    back = _work(found, _("Take the proposal back"), "take-proposal-back")
    offers = (back,) if is_own else (look,)
    return Next(
        title,
        text % words if decision else "",
        offers if found.case.state == State.APPROVAL or not is_own else (),
    )


def _fulfilling(found: Situation) -> Next:
    case = found.case
    carrying = desk_carrying.advice(case)
    if carrying is not None:
        look = Offer(_("Look at it"), "#carrying", kind="secondary")
        return Next(carrying.title, carrying.text, (look,), carrying.tone)
    if found.open_tasks:
        return _tasks(found)
    if found.stuck:
        return Next(
            _("A letter did not arrive"),
            _("The answer counts as given only when it reached the requester. Send it again, or print it."),
            (_work_on(found, _("Send again"), "send-again", found.stuck[0]),),
            "danger",
        )
    if found.pack is not None and found.pack.state == PackState.FAILED:
        return Next(
            _("The answer could not be built"),
            _("Nothing was sent. Try again; if it fails once more, tell whoever runs the system: %(code)s.")
            % {"code": found.pack.error_code or _("no code")},
            (_work_on(found, _("Build it again"), "rebuild", found.pack, is_post=True),),
            "danger",
        )
    if found.to_post:
        return Next(
            _("A letter is to be posted"),
            _("Print it with its enclosures, hand it to the post, then mark it here."),
            (
                Offer(_("Print the letter"), reverse("console:letter", args=[case.pk, found.to_post[0].pk])),
                _work_on(found, _("Mark as posted"), "posted", found.to_post[0], kind="primary"),
            ),
        )
    return _untold(found) or Next(
        _("The answer is on its way"),
        _("Nothing needs doing: the case closes by itself when the answer was sent."),
    )


def _untold(found: Situation) -> Next | None:
    """A case that only waits for its recipients."""
    failed = found.case.recipient_notices.filter(state=NoticeState.FAILED).select_related("recipient").first()
    if failed is None:
        return None
    return Next(
        _("%(name)s could not be told") % {"name": failed.recipient.name},
        _("Everybody to whom the data had gone has to be told (Article 19). Try it again, or say why not."),
        (Offer(_("Go to the recipients"), "#recipients" if found.may(Permission.WORK) else ""),),
        "danger",
    )


def _tasks(found: Situation) -> Next:
    if found.case.right == Right.ERASURE and queries.is_held(found.case.subject):
        return Next(
            _("The erasure waits for a legal hold"),
            _(
                "Nothing of this person is erased while it lies. The clock runs on: tell the customer what you can."
            ),
            tone="warning",
        )
    if found.case.right == Right.ERASURE and carry_out.waits_for_copy(found.case):
        return Next(
            _("The erasure waits for a copy"),
            _(
                "An open access case of the same person still lacks its copy. Answer that one first; the clock runs on."
            ),
            tone="warning",
        )
    text = ngettext("%(count)s task is open.", "%(count)s tasks are open.", found.open_tasks) % {
        "count": found.open_tasks
    }
    tasks = Offer(_("Go to the tasks"), "#tasks" if found.may(Permission.WORK) else "")
    return Next(
        _("Carry out the tasks"), text + " " + _("Do each in its source, then record the evidence."), (tasks,)
    )


def _work_on(found: Situation, label: str, name: str, target: Any, **options: Any) -> Offer:
    return _offer(found, Permission.WORK, label, act_url(found.case, name, target), **options)


def _closed(found: Situation) -> Next:
    title = _("Closed: %(outcome)s") % {"outcome": found.case.get_outcome_display()}
    resting = rights.restriction_of(found.case) if found.case.right != Right.RESTRICTION else None
    if resting is None or not resting.is_in_force or resting.lift_proposed_at is not None:
        return Next(title, _("Nothing needs doing."), tone="")
    lift = reverse("console:lift", args=[found.case.pk, resting.pk])
    return Next(
        title,
        _(
            "What was checked meanwhile still rests. When that is over, propose that it ends: the customer is told"
            " before the data is used again."
        ),
        (_offer(found, Permission.WORK, _("Propose that it ends"), lift),),
        "warning",
    )


_STEPS: dict[State, Callable[[Situation], Next]] = {
    State.RECEIVED: _received,
    State.AWAITING_IDENTITY: _awaiting_identity,
    State.AWAITING_CLARIFICATION: _awaiting_clarification,
    State.AWAITING_FEE: _awaiting_fee,
    State.SEARCHING: _searching,
    State.REVIEW: _review,
    State.APPROVAL: _approval,
    State.WITH_CONTROLLER: _with_controller,
    State.FULFILLING: _fulfilling,
    State.CLOSED: _closed,
}

# What else can be done, beside the next action: the transition or None, the permission, the act's address.
_MORE: tuple[tuple[str, str, Any], ...] = (
    ("ask_clarification", "clarify", lambda: _("Ask a question")),
    ("ask_fee", "fee", lambda: _("Ask for a fee")),
    ("search_again", "search-again", lambda: _("Search again")),
    ("take_late_answer", "late-answer", lambda: _("A late answer came")),
    ("take_back", "take-back", lambda: _("Take the approval back")),
    ("withdraw", "withdraw", lambda: _("The customer withdraws")),
    ("reopen_to_review", "reopen", lambda: _("Reopen the case")),
)


def more(found: Situation) -> list[Offer]:
    """The other acts that the state and the person's role allow."""
    case = found.case
    offers = [Offer(label(), act_url(case, act)) for name, act, label in _MORE if _is_open(found, name)]
    if "propose_closing" in found.transitions and case.right != Right.COMPLAINT:
        offers.insert(2, Offer(_("Close without an answer"), reverse("console:close", args=[case.pk])))
    return [*offers, *_beside_the_state(found)]


def _beside_the_state(found: Situation) -> list[Offer]:
    """What touches the clock or the person, whatever the state."""
    case = found.case
    offers = []
    if found.may(Permission.RECORD_IDENTITY) and authority.is_needed(case):
        offers.append(
            Offer(_("Authority of the representative"), reverse("console:authority", args=[case.pk]))
        )
    if found.may(Permission.WORK) and extension.may_be_proposed(case):
        offers.append(Offer(_("Extend the time"), reverse("console:extend", args=[case.pk])))
    if found.may(Permission.LEGAL_HOLD):
        held = queries.is_held(case.subject)
        words = _("Lift the legal hold") if held else _("Set a legal hold")
        offers.append(Offer(words, act_url(case, "lift-hold" if held else "hold")))
    return offers


def _is_open(found: Situation, name: str) -> bool:
    if name in {"withdraw", "take_back"} and found.case.carried_out:
        return False
    return name in found.transitions
