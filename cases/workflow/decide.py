"""Proposing an outcome, and the second pair of eyes."""

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext as _

from cases import authority, corrections, queries, rights
from cases.correspondence.compose import Kind
from cases.errors import not_from_here, not_yours
from cases.fulfilment import plans
from cases.law import loader as law
from cases.models import Case, Decision, Verdict
from cases.models.case import requester_suffices
from cases.permissions import By
from cases.review import items
from cases.words import CLOSINGS, COMPLAINT_OUTCOMES, DISCLOSING, Outcome, Right, Say, State, Step
from cases.workflow import (
    carry_out,
    complaint,
    disputed,
    doubts,
    identity,
    kept,
    lateness,
    letters,
    objection,
    search,
)
from cases.workflow.lateness import NOT_SAID, Why
from cases.workflow.perform import act, note, once, perform, put_on_record, refuse
from dsar.audit.actions import Action
from dsar.lib.errors import Refused


def draft_letter(
    case: Case, outcome: str, reasons: str, now: datetime, reason_code: str = ""
) -> tuple[str, str]:
    """The letter of an outcome as the template has it, ready to edit, in the requester's language."""
    kind = carry_out.KIND_OF.get(outcome) or (Kind.ANSWER if case.right in DISCLOSING else Kind.DONE)
    with translation.override(case.subject_request.language):
        return letters.draft(
            kind,
            case.subject_request,
            now,
            case=case,
            outcome=outcome,
            reasons=reasons or (_weighing(case) if _exception(case, outcome) else ""),
            reason_text=reason_sentence(case, reason_code or _exception(case, outcome)),
            withheld=kept.sentences(case, plans.kept(case)) or withheld_sentences(case),
            no_data=outcome == Outcome.NO_DATA,
            partly=outcome == Outcome.PARTLY_FULFILLED,
            **rights.letter_facts(case),
            **corrections.letter_facts(case),
        )


def reason_sentence(case: Case, code: str) -> str:
    """What the picklist's letter says for a refusal's reason; empty where none is named."""
    if not code:
        return ""
    for kind in _REFUSING:
        try:
            return _(law.ground(kind, code, case.regime).letter)
        except law.UnknownLaw:
            continue
    return _(law.exemption(code, case.regime).letter)


_REFUSING: tuple[law.GroundKind, ...] = ("refusal", "objection_exception")


def _exception(case: Case, outcome: str) -> str:
    """Under which an objection that was weighed is refused."""
    weighed = rights.balancing_of(case) if case.right == Right.OBJECTION else None
    return weighed.exception if weighed and outcome == Outcome.REFUSED else ""


def withheld_sentences(case: Case) -> list[str]:
    """One sentence per exemption that may be named."""
    return [
        f"{items.exemption_sentence(code, case.regime)} ({count})" for code, count in items.named_counts(case)
    ]


def submit(
    case: Case,
    title: str,
    body: str,
    by: By,
    now: datetime,
    *,
    reason_code: str = "",
    reasons: str = "",
    complaint_outcome: str = "",
    why_late: Why = NOT_SAID,
    version: int | None = None,
) -> Case:
    """Send the reviewed case to approval; the outcome follows from what was decided about the items.

    What became of a complaint is ``complaint_outcome``. Where the case is late, ``why_late`` says why.
    """
    with transaction.atomic():
        locked = act(case, None, by, now)
        once(locked, "submit", by, version)
        _demand_own_path(locked)
        _demand_decided(locked)
        doubts.demand_settled(locked)
        plans.demand_ready(locked)
        outcome = _outcome_chosen(locked, complaint_outcome)
        reason_code = reason_code or _exception(locked, outcome)
        reasons = reasons if reasons.strip() or not reason_code else _weighing(locked)
        reasons = reasons if reasons.strip() else corrections.reasons(locked)
        if outcome in {Outcome.REFUSED, *COMPLAINT_OUTCOMES} and not reasons.strip():
            raise Refused(_("Give the reasons: the approver and the customer read them."), "reasons_missing")
        proposal = _Proposal("submit", outcome, title, body, reason_code, reasons, why_late)
        return _propose(locked, proposal, by, now, version)


def _demand_own_path(case: Case) -> None:
    """A restriction, an objection or an automated decision has its own form first."""
    missing = rights.missing(case)
    if missing is not None:
        raise Refused(*missing)


def _demand_decided(case: Case) -> None:
    """Disputed values are decided one by one; other cases record by record."""
    if corrections.is_by_value(case):
        disputed.demand_decided(case)
    elif case.state == State.REVIEW and items.undecided(case):
        raise Refused(_("Some items are still to be decided."), "items_undecided")


def _weighing(case: Case) -> str:
    weighed = rights.balancing_of(case)
    return weighed.weighing if weighed else ""


def _outcome_chosen(case: Case, complaint_outcome: str) -> str:
    if case.right != Right.COMPLAINT:
        return outcome_of(case)
    if complaint_outcome not in COMPLAINT_OUTCOMES:
        raise Refused(_("Choose what becomes of the complaint."), "unknown_outcome")
    return complaint_outcome


def outcome_of(case: Case) -> str:
    """What the review amounts to; rights with a form of their own follow that, and are empty before.

    Empty for a complaint: what becomes of it is somebody's judgement.
    """
    if case.right == Right.COMPLAINT:
        return ""
    if case.right in rights.OWN_PATH:
        return rights.outcome_of(case)
    return corrections.outcome_of(case) if corrections.is_by_value(case) else items.outcome_of(case)


@dataclass(frozen=True)
class _Proposal:
    """What goes to the second pair of eyes, and by which transition."""

    transition: str
    outcome: str
    title: str
    body: str
    reason_code: str
    reasons: str
    why_late: Why


def propose_closing(
    case: Case,
    outcome: str,
    title: str,
    body: str,
    by: By,
    now: datetime,
    *,
    reasons: str,
    reason_code: str = "",
    why_late: Why = NOT_SAID,
    version: int | None = None,
) -> Case:
    """Propose to refuse, or to end without an answer; it takes a second person and a letter.

    The desk by itself proposes one end alone: that nobody showed who they are. A letter that says no has a date
    of its own (U8, E8): where that has passed, ``why_late`` says why.
    """
    if by.person_id is None and outcome != Outcome.IDENTITY_NOT_VERIFIED:
        raise not_yours("propose_closing")
    if outcome not in CLOSINGS:
        raise Refused(_("Choose how the case is to end."), "unknown_outcome")
    if not reasons.strip():
        raise Refused(_("Give the reasons: the approver and the customer read them."), "reasons_missing")
    with transaction.atomic():
        locked = act(case, None, by, now)
        once(locked, "propose_closing", by, version)
        _may_end_so(locked, outcome)
        proposal = _Proposal("propose_closing", outcome, title, body, reason_code, reasons, why_late)
        return _propose(locked, proposal, by, now, version)


def _may_end_so(case: Case, outcome: str) -> None:
    """Whose identity is proved is not refused for want of it; under EU law silence ends no request."""
    if outcome == Outcome.IDENTITY_NOT_VERIFIED and requester_suffices(case):
        raise Refused(_("The requester's identity is verified."), "identity_verified")
    if outcome == Outcome.NO_REPLY and case.regime.startswith("EU"):
        raise Refused(_("Under this law the search is done in full even without a reply."), "no_reply_here")


def _propose(case: Case, made: _Proposal, by: By, now: datetime, version: int | None) -> Case:
    if not made.title.strip() or not made.body.strip():
        raise Refused(_("The letter is empty."), "letter_empty")
    _may_be_named(case, made.reason_code)
    _forbid_refusing(case, made, by, now)
    _forbid_judging_oneself(case, by, now)
    instruction, say = queries.instructed(case.controller_id, steps(case, made.outcome), case.right)

    def prepare(locked: Case) -> None:
        locked.proposed_outcome = made.outcome
        locked.controller_decides = say != Say.ALLOW

    codes = {"proposed": made.outcome}
    case = perform(case, made.transition, by, now, version=version, prepare=prepare, codes=codes)
    if by.person_id is not None:
        # A job knows no reasons: what is late by then is asked of whoever approves it.
        lateness.demand(case, made.why_late, by, now, made.outcome)
    decision = _decision(case, made, by, now)
    decision.instruction, decision.instruction_says = instruction, say
    decision.save()
    put_on_record(
        case,
        Action.DECISION_PROPOSED,
        by,
        now,
        {
            "decision": str(decision.pk),
            "outcome": made.outcome,
            "reason": made.reason_code,
            "digest": decision.digest,
            "instruction": instruction.version if instruction else None,
            "says": say.value,
        },
    )
    return case


def _decision(case: Case, made: _Proposal, by: By, now: datetime) -> Decision:
    """The proposal as a row, with the digest of what it would let out."""
    decision = Decision(
        controller_id=case.controller_id,
        case=case,
        outcome=made.outcome,
        reason_code=made.reason_code,
        proposed_by_id=by.person_id,
        proposed_at=now,
    )
    decision.reasons = made.reasons.strip()
    decision.letter_subject, decision.letter_body = made.title.strip(), made.body.strip()
    decision.digest = digest(case, decision)
    return decision


def _forbid_refusing(case: Case, made: _Proposal, by: By, now: datetime) -> None:
    """An objection is refused only where it was outweighed, and one to marketing never (Art 21)."""
    refusal = objection.forbid_refusing(case, made.outcome, made.reason_code, rights.balancing_of(case))
    if refusal is not None:
        refuse(case, "refuse_objection", by, now, refusal)


def _may_be_named(case: Case, code: str) -> None:
    """A reason is a code of the picklists, and none whose very name would betray what it hides."""
    if not re.fullmatch(r"[\w.-]{0,40}", code, re.ASCII):
        raise Refused(_("Choose the reason from the list."), "unknown_reason")
    try:
        silence = law.exemption(code, case.regime).silence
    except law.UnknownLaw:
        return
    if silence == "must":
        raise Refused(
            _("This exemption must not be named: withhold the records in silence instead."), "silent"
        )


def steps(case: Case, outcome: str) -> list[Step]:
    """What the controller's instruction is asked about."""
    if outcome in {Outcome.REFUSED, Outcome.PARTLY_FULFILLED}:
        first = [Step.REFUSE]
    elif outcome in CLOSINGS:
        return [Step.CLOSE]
    else:
        first = []
    carried = {Right.ERASURE: Step.ERASE, Right.RECTIFICATION: Step.RECTIFY}
    if outcome in {Outcome.FULFILLED, Outcome.PARTLY_FULFILLED} and case.right in carried:
        return [*first, carried[Right(case.right)]]
    return first if outcome == Outcome.REFUSED else [*first, Step.RELEASE]


def digest(case: Case, decision: Decision) -> str:
    """Exactly what will go out or be done: the items as decided, the letter, and to whom a representative sends it."""
    parts = [items.digest(case), decision.outcome, decision.letter_subject, decision.letter_body]
    asked = authority.chosen(case.subject_request)
    more = [asked, rights.digest(case), plans.digest_of(case), corrections.digest(case)]
    parts += [one for one in more if one]
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()


def open_decision(case: Case) -> Decision | None:
    """The proposal that waits for the second pair of eyes."""
    found: Decision | None = case.decisions.filter(verdict=Verdict.OPEN).first()
    return found


def approve(
    case: Case, by: By, now: datetime, *, why_late: Why = NOT_SAID, version: int | None = None
) -> Case:
    """Approve what was proposed; where the instruction says so, the controller's reviewer decides next.

    Whoever prepared it can't approve it (NotAllowed), and what was changed since is refused; so is what has become
    late, until somebody says why.
    """
    with transaction.atomic():
        locked, decision = _for_decision(case, by, now, ("approve", "hand_to_controller"), version)
        say_transition = "hand_to_controller" if locked.controller_decides else "approve"
        _forbid_own(locked, decision, by, now)
        lateness.demand(locked, why_late, by, now, decision.outcome)
        case = perform(
            locked,
            say_transition,
            by,
            now,
            version=version,
            codes={"decision": str(decision.pk)},
            prepare=_release_check,
        )
        decision.approved_by_id, decision.approved_at = by.person_id, now
        if say_transition == "approve":
            decision.verdict = Verdict.APPROVED
        decision.save()
        _decided(case, decision, by, now, "approved" if say_transition == "approve" else "handed_over")
        return carry_out.start(case, decision, by, now) if say_transition == "approve" else case


def approve_for_controller(
    case: Case, by: By, now: datetime, *, why_late: Why = NOT_SAID, version: int | None = None
) -> Case:
    """The controller's own reviewer agrees; what has become late is refused until somebody says why."""
    with transaction.atomic():
        locked, decision = _for_decision(case, by, now, ("approve_for_controller",), version)
        _forbid_own(locked, decision, by, now)
        lateness.demand(locked, why_late, by, now, decision.outcome)
        case = perform(
            locked,
            "approve_for_controller",
            by,
            now,
            version=version,
            codes={"decision": str(decision.pk)},
            prepare=_release_check,
        )
        decision.controller_decided_by_id, decision.controller_decided_at = by.person_id, now
        decision.verdict = Verdict.APPROVED
        decision.save()
        _decided(case, decision, by, now, "approved_by_controller")
        return carry_out.start(case, decision, by, now)


def return_case(case: Case, reason: str, by: By, now: datetime, *, version: int | None = None) -> Case:
    """Send a proposal back with a reason."""
    if not reason.strip():
        raise Refused(_("Say why it goes back."), "reason_missing")
    with transaction.atomic():
        locked = act(case, None, by, now)
        for done in ("return_from_controller", "return_to_handler"):
            once(locked, done, by, version)
        name = "return_from_controller" if locked.state == State.WITH_CONTROLLER else "return_to_handler"
        decision = open_decision(locked)
        case = perform(locked, name, by, now, version=version)
        if decision is not None:
            decision.verdict, decision.return_reason = Verdict.RETURNED, reason.strip()
            decision.save()
            _decided(case, decision, by, now, "returned")
        note(case, by, now, reason.strip(), about=name)
        return _go_on(case, now)


def _go_on(case: Case, now: datetime) -> Case:
    """What the case waited for before the proposal may have come meanwhile."""
    return search.resume(case, now) if case.state == State.SEARCHING else identity.go_on(case, now)


def _for_decision(
    case: Case, by: By, now: datetime, names: tuple[str, ...], version: int | None
) -> tuple[Case, Decision]:
    locked = act(case, None, by, now)
    for name in names:
        once(locked, name, by, version)
    decision = open_decision(locked)
    if decision is None:
        raise not_from_here("approve", locked.state)
    if digest(locked, decision) != decision.digest:
        raise Refused(
            _("What was prepared has changed since: return it, and have it submitted anew."), "digest_differs"
        )
    return locked, decision


def _forbid_own(case: Case, decision: Decision, by: By, now: datetime) -> None:
    if decision.is_own(by.person_id):
        sentence = _("Who prepared this cannot approve it: it takes a second pair of eyes.")
        refuse(case, "approve", by, now, Refused(sentence, "own_proposal"))
    hands = rights.prepared_by(case) | corrections.decided_by(case)
    prepared = by.person_id in hands or case.items.filter(decided_by=by.person_id).exists()
    if prepared or plans.decided_by(case, by.person_id):
        sentence = _("You decided about records of this case: somebody else has to approve it.")
        refuse(case, "approve", by, now, Refused(sentence, "own_preparation"))
    _forbid_judging_oneself(case, by, now)


def _forbid_judging_oneself(case: Case, by: By, now: datetime) -> None:
    """Whoever handled or decided a case neither answers a complaint about it nor approves that answer."""
    if by.person_id is not None and complaint.dealt_with(case.linked_to, by.person_id):
        sentence = _("A complaint is dealt with by people who neither handled nor decided what it is about.")
        refuse(case, "judge_oneself", by, now, Refused(sentence, "worked_it_before"))


def _release_check(case: Case) -> None:
    """Nobody whose identity is proved by now is sent away for want of it. The other way round is declared.

    And no answer goes out while what was collected is in doubt.
    """
    _may_end_so(case, case.proposed_outcome)
    if case.proposed_outcome not in CLOSINGS:
        doubts.demand_settled(case)


def _decided(case: Case, decision: Decision, by: By, now: datetime, verdict: str) -> None:
    put_on_record(
        case,
        Action.DECISION_MADE,
        by,
        now,
        {
            "decision": str(decision.pk),
            "verdict": verdict,
            "digest": decision.digest,
            "outcome": decision.outcome,
        },
    )
