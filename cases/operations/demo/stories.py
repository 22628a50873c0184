"""What happened at the two brands in the last weeks: each story is one request, told by the verbs of the workflow."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

from django.utils import timezone

from cases import corrections, rights
from cases.deadlines.events import ExtensionReason
from cases.law.loader import others_code
from cases.models import (
    AnswerCode,
    Case,
    CorrectionOutcome,
    ExtensionState,
    Found,
    FulfilmentTask,
    ItemDecision,
    LetterState,
    LookResult,
    SearchState,
    SourceSearch,
    SourceSystem,
    TaskState,
)
from cases.operations.demo import papers
from cases.operations.demo.people import Customer
from cases.operations.demo.stage import Stage, Story, fresh
from cases.operations.demo.words import SAID
from cases.permissions import BY_SYSTEM, By
from cases.words import AnswerBy, Channel, Outcome, Right, State
from cases.workflow import (
    answer,
    carry_out,
    decide,
    document,
    extension,
    identity,
    people,
    plan,
    questions,
    recipients,
    rectify,
    restriction,
    review,
    search,
    second_look,
)
from cases.workflow.intake import Intake, Person, Representation, log_request
from cases.workflow.rectify import Judged
from cases.workflow.restriction import Chosen
from cases.workflow.review import Choice, Selection
from cases.workflow.second_look import Prepared
from identity import services
from identity.evidence.checking import checked
from identity.evidence.intake import Picture
from identity.models import DocumentKind, Level

DONE = "Done, and checked by searching again."
RESTRICTED = "The consumption figures of this year; the meter is being read again."
DECIDED = "Payment by instalments was refused by the scoring alone."
LOGIC = "The scoring adds up open invoices, late payments and the length of the contract. Late payments weigh most."
FOUND = "Two payments were counted as late although they had come in time. Payment by instalments is granted."
NOT_DONE = "The archive cannot change single records."
_SPOKEN = {Channel.CALL, Channel.CHAT}
SUBMISSIONS = UUID("3f0c6c52-8a5e-4ab1-9d43-7a3f6a3f5d10")

# An erasure is approved on its sixth or seventh day, and can be cancelled for seven more.
GRACE_OVER = 18


@dataclass
class Scene:
    """One request on its way: what a story needs to tell it."""

    stage: Stage
    number: int
    days: float
    person: Customer
    case_id: UUID = field(init=False)

    @property
    def submission(self) -> UUID:
        return submission_of(self.stage.controller.slug, self.number)

    @property
    def case(self) -> Case:
        return fresh(self.case_id)

    @property
    def handler(self) -> Any:
        return self.stage.handlers[self.number % len(self.stage.handlers)]

    def by_handler(self) -> By:
        return self.stage.by(self.handler)

    def by_dpo(self) -> By:
        return self.stage.by(self.stage.dpo)

    def by_customer(self) -> By:
        return self.stage.customer(self.case.subject_request_id)

    def said(self, what: str) -> str:
        lines = SAID[self.stage.controller.slug][what]
        return lines[self.number % len(lines)]

    def after(self, days: float) -> datetime:
        """So many days after the request."""
        return self.stage.moment(self.days - days)

    def logged(self, *rights: Right, channel: Channel = Channel.CALL, **fields: Any) -> Story:
        """The request comes in and is logged; by post it was some days under way."""
        yield self.stage.moment(self.days)
        now = timezone.now()
        heard = now - (timedelta(days=2) if channel == Channel.LETTER else timedelta(minutes=4))
        by = BY_SYSTEM if channel == Channel.PORTAL else self.stage.by(self.stage.agent)
        intake = Intake(
            controller=self.stage.controller,
            person=_known(self.person),
            rights=rights,
            channel=channel,
            received_at=now if channel == Channel.PORTAL else heard,
            words=fields.pop("words", None) or self.said(rights[0]),
            contact_reference=f"{channel.value}-{4000 + self.number}"
            if channel in {Channel.CALL, Channel.CHAT}
            else "",
            language=self.stage.controller.language,
            submission=self.submission,
            **fields,
        )
        request = log_request(intake, by, now)
        self.case_id = request.cases.get().pk

    def verified(self, days: float = 1) -> Story:
        """A handler sees evidence of identity; the sources are searched then."""
        yield self.after(days)
        case = self.case
        if case.state == State.AWAITING_IDENTITY:
            remark = "Account number, address and last payment agreed on a call back."
            identity.record_evidence(
                case, Level.SUBSTANTIAL, "knowledge", remark, self.by_handler(), timezone.now()
            )

    def taken(self, days: float = 2) -> Story:
        """A handler takes the case."""
        yield self.after(days)
        people.assign(self.case, self.handler, self.by_handler(), timezone.now())

    def reviewed(self, days: float = 4) -> Story:
        """Everything is decided: the person's own goes out, or is acted on."""
        yield self.after(days)
        if self.case.right in rights.OWN_PATH:
            yield from self._own_path()
        if corrections.is_by_value(self.case):
            self._values()
        else:
            review.decide_by_rules(self.case, self.by_handler(), timezone.now())

    def _values(self) -> None:
        """What is said to be wrong is put right where it stands; texts that mention it tell what was."""
        for one in corrections.of(self.case):
            is_value = one.found in {Found.VALUE, Found.POINTED}
            judged = Judged(CorrectionOutcome.CORRECTED, wanted=str(one.claimed))
            put_right = judged if is_value else Judged(CorrectionOutcome.NOT_MEANT)
            rectify.decide(one, put_right, self.by_handler(), timezone.now())

    def _own_path(self) -> Story:
        """What a restriction or an automated decision asks for before its answer."""
        case, now = self.case, timezone.now()
        if case.right == Right.RESTRICTION:
            restriction.choose(case, Chosen("ACCURACY", self._found_in(), RESTRICTED), self.by_handler(), now)
        elif case.right == Right.AUTOMATED:
            colleague = next(one for one in self.stage.handlers if one.pk != self.handler.pk)
            basis = second_look.bases(case)[0].code
            about = Prepared(DECIDED, basis, LOGIC, colleague.pk, representations=self.said(case.right))
            look = second_look.prepare(case, about, self.by_handler(), now)
            yield now + timedelta(hours=20)
            second_look.end(look, LookResult.CHANGED, FOUND, self.stage.by(colleague), timezone.now())

    def _found_in(self) -> list[UUID]:
        """The systems in which something was found; all where nothing was."""
        found = self.case.items.filter(source__is_active=True).values_list("source_id", flat=True).distinct()
        own = SourceSystem.objects.filter(controller=self.stage.controller, is_active=True)
        return list(found) or list(own.values_list("pk", flat=True))

    def submitted(self, days: float = 5) -> Story:
        """The answer is prepared for the second pair of eyes."""
        yield self.after(days)
        case, now = self.case, timezone.now()
        if case.right == Right.ERASURE:
            plan.choose_ground(case, "NOT_NEEDED", self.by_handler(), now)
            case = self.case
        outcome = decide.outcome_of(case)
        title, body = decide.draft_letter(case, outcome, "", now)
        decide.submit(case, title, body, self.by_handler(), now)

    def proposed(self, outcome: Outcome, reasons: str, days: float, code: str = "") -> Story:
        """An end without an answer is proposed."""
        yield self.after(days)
        case, now = self.case, timezone.now()
        title, body = decide.draft_letter(case, outcome, reasons, now, code)
        decide.propose_closing(
            case, outcome, title, body, self.by_handler(), now, reasons=reasons, reason_code=code
        )

    def agreed(self, days: float = 6) -> Story:
        """The second pair of eyes agrees, and where the instruction says so, the controller's own."""
        yield self.after(days)
        case = decide.approve(self.case, self.by_dpo(), timezone.now())
        if case.state == State.WITH_CONTROLLER:
            yield self.after(days + 1)
            decide.approve_for_controller(self.case, self.stage.by(self.stage.reviewer), timezone.now())

    def tasks_done(self, days: float = 8, *, impossible: bool = False) -> Story:
        """What is to be done in the source systems is done there, one after the other."""
        yield self.after(days)
        for task in self.case.tasks.filter(state=TaskState.OPEN).order_by("created_at"):
            self._record(task, not impossible)
            impossible = False

    def tasks_done_after_grace(self, *, impossible: bool = False) -> Story:
        """The same for an erasure, whose tasks are made when it cannot be cancelled any more."""
        yield self.after(GRACE_OVER)
        yield from self.tasks_done(GRACE_OVER + 2, impossible=impossible)

    def _record(self, task: FulfilmentTask, done: bool) -> None:
        evidence = (
            "Done and checked: the record is gone from the search."
            if done
            else "Held by the archive; cannot be changed there."
        )
        carry_out.record_task(task, done, evidence, self.by_handler(), timezone.now())

    def recipients_answer(self, days: float) -> Story:
        """The first of those to whom data had gone says what it did; a second one keeps us waiting."""
        yield self.after(days)
        notice = self.case.recipient_notices.order_by("recipient__name").first()
        if notice is not None:
            recipients.record_answer(notice, AnswerCode.DONE, "", self.by_handler(), timezone.now())

    def posted(self, days: float) -> Story:
        """What was to be printed was handed to the post."""
        yield self.after(days)
        for letter in self.case.letters.filter(state=LetterState.TO_PRINT):
            carry_out.posted(letter, f"RM{self.number:09d}GB", self.by_handler(), timezone.now())

    def fetched(self, days: float) -> Story:
        """The customer fetches the answer."""
        yield self.after(days)
        delivery = answer.live_delivery(self.case)
        if delivery is not None:
            answer.fetch(delivery, self.by_customer(), timezone.now())

    def through_search(self, *rights: Right, **fields: Any) -> Story:
        yield from self.logged(*rights, **fields)
        yield from self.verified()
        yield from self.taken()

    def through_review(self, *rights: Right, **fields: Any) -> Story:
        yield from self.through_search(*rights, **fields)
        yield from self.reviewed()
        yield from self.submitted()


def submission_of(slug: str, number: int) -> UUID:
    """The form's id of a story's request, by which it is known to have been told."""
    return uuid5(SUBMISSIONS, f"{slug} {number}")


def _known(person: Customer) -> Person:
    return Person(
        name=person.name,
        email=person.email,
        external_id=person.account,
        birth_date=person.born_on.isoformat(),
        postal_address=person.postal_address,
    )


# -- the stories: each begins so many days ago -------------------------------------------------------


def awaiting_identity(scene: Scene) -> Story:
    yield from scene.logged(Right.ACCESS, channel=Channel.CHAT)


def awaiting_from_portal(scene: Scene) -> Story:
    yield from scene.logged(Right.ERASURE, channel=Channel.PORTAL)


def document_shown(scene: Scene) -> Story:
    """The customer sends a picture of their passport, and somebody has to look at it."""
    yield from scene.logged(Right.ACCESS, channel=Channel.PORTAL)
    yield scene.after(0.5)
    now = timezone.now()
    photo = papers.passport(scene.person, now.date() + timedelta(days=900))
    picture = checked(Picture(photo), with_zone=True)
    request = scene.case.subject_request
    document.hand_in(request, DocumentKind.PASSPORT, [picture], scene.by_customer(), now)


def for_somebody_else(scene: Scene) -> Story:
    solicitor = Representation(
        "solicitor",
        "Blythe and Marsh",
        "office@blythe-marsh.example",
        authority="A signed mandate follows by e-mail",
    )
    yield from scene.logged(Right.ACCESS, channel=Channel.EMAIL, representation=solicitor)


def message_while_waiting(scene: Scene) -> Story:
    yield from scene.logged(Right.ACCESS, channel=Channel.PORTAL)
    yield scene.after(3)
    questions.take_message(
        scene.case.subject_request, scene.said("message"), scene.by_customer(), timezone.now()
    )


def code_proves(scene: Scene) -> Story:
    """The customer proves the address by a code, and the case goes on by itself."""
    yield from scene.logged(Right.ACCESS, channel=Channel.PORTAL)
    yield from _by_code(scene)


def _by_code(scene: Scene) -> Story:
    yield scene.after(0.2)
    request, now = scene.case.subject_request, timezone.now()
    identity.send_code(request, identity.VERIFY, scene.by_customer(), now)
    letter = request.letters.get(kind="one_time_code", state=LetterState.QUEUED)
    typed = "".join(filter(str.isdigit, letter.body))[:6]
    verification = services.open_verification(request, now)
    code_id = services.count_try(verification, identity.VERIFY, now)
    assert code_id is not None
    identity.accept_code(request, code_id, typed, identity.VERIFY, scene.by_customer(), now)


def question_open(scene: Scene) -> Story:
    yield from scene.through_search(Right.ACCESS)
    yield scene.after(3)
    questions.ask_clarification(scene.case, scene.said("question"), True, scene.by_handler(), timezone.now())


def question_answered(scene: Scene) -> Story:
    yield from question_open(scene)
    yield scene.after(6)
    questions.take_message(
        scene.case.subject_request, scene.said("answer"), scene.by_customer(), timezone.now()
    )


def fee_open(scene: Scene) -> Story:
    yield from scene.through_search(Right.ACCESS, channel=Channel.LETTER)
    yield scene.after(4)
    reason = "This is the fifth request with the same words since January."
    questions.ask_fee(scene.case, "25.00", reason, scene.by_handler(), timezone.now())


def source_failed(scene: Scene) -> Story:
    """The archive cannot be asked for a moment; what failed has to be repeated, what waits goes on by itself."""
    yield from scene.logged(Right.ACCESS)
    yield from scene.taken(0.5)
    yield scene.after(1)
    scene.stage.fail_chat(True)
    remark = "Account number and date of birth agreed."
    identity.record_evidence(scene.case, Level.LOW, "knowledge", remark, scene.by_handler(), timezone.now())
    yield timezone.now()
    scene.stage.fail_chat(False)


def waiver_proposed(scene: Scene) -> Story:
    yield from source_failed(scene)
    yield scene.after(3)
    reason = "The archive cannot be read until its supplier has repaired it."
    search.propose_waiver(_failed(scene), reason, scene.by_handler(), timezone.now())


def waived_and_answered(scene: Scene) -> Story:
    yield from waiver_proposed(scene)
    yield scene.after(4)
    search.waive(_failed(scene), scene.by_dpo(), timezone.now())
    yield from _answered(scene, 6)


def rerun_and_answered(scene: Scene) -> Story:
    yield from source_failed(scene)
    yield scene.after(3)
    search.rerun(_failed(scene), scene.by_handler(), timezone.now())
    yield from _answered(scene, 6)


def _failed(scene: Scene) -> SourceSearch:
    return SourceSearch.objects.select_related("run__case").get(
        run__case_id=scene.case_id, state=SearchState.FAILED
    )


def _answered(scene: Scene, days: float) -> Story:
    yield from scene.reviewed(days)
    yield from scene.submitted(days + 1)
    yield from scene.agreed(days + 2)


def unassigned_review(scene: Scene) -> Story:
    yield from scene.logged(Right.ACCESS, channel=Channel.EMAIL)
    yield from scene.verified()


def in_review(scene: Scene) -> Story:
    yield from scene.through_search(Right.ACCESS)


def half_reviewed(scene: Scene) -> Story:
    """Some is decided: one note is redacted, the first collection goes out."""
    yield from scene.through_search(Right.ACCESS)
    yield scene.after(4)
    first = scene.case.items.filter(decision=ItemDecision.UNDECIDED).order_by("collection").first()
    if first is not None:
        chosen = Selection(source_id=first.source_id, collection=first.collection)
        review.decide(scene.case, chosen, Choice(ItemDecision.DISCLOSE), scene.by_handler(), timezone.now())


def message_in_review(scene: Scene) -> Story:
    yield from scene.through_search(Right.ACCESS, channel=Channel.PORTAL)
    yield scene.after(9)
    questions.take_message(
        scene.case.subject_request, scene.said("message"), scene.by_customer(), timezone.now()
    )


def erasure_in_review(scene: Scene) -> Story:
    yield from scene.through_search(Right.ERASURE, channel=Channel.CHAT)


def extension_proposed(scene: Scene) -> Story:
    """More has been found than can be read in a month."""
    yield from scene.through_search(Right.ACCESS, channel=Channel.EMAIL)
    yield scene.after(8)
    case, now = scene.case, timezone.now()
    wanted = extension.Wanted(ExtensionReason.COMPLEXITY, scene.said("more time"))
    title, body = extension.draft(case, wanted, extension.plan(case, wanted, now), now)
    extension.propose(case, wanted, title, body, scene.by_handler(), now)


def extended(scene: Scene) -> Story:
    """A second person agreed, and the customer was told in time."""
    yield from extension_proposed(scene)
    yield scene.after(9)
    made = extension.approve(scene.case.extensions.get(), scene.by_dpo(), timezone.now())
    if made.state == ExtensionState.WITH_CONTROLLER:
        yield scene.after(10)
        reviewer = scene.stage.by(scene.stage.reviewer)
        extension.approve(scene.case.extensions.get(), reviewer, timezone.now())


def in_approval(scene: Scene) -> Story:
    yield from scene.through_review(Right.ACCESS)


def refusal_in_approval(scene: Scene) -> Story:
    yield from scene.through_search(Right.ACCESS, channel=Channel.SOCIAL)
    reasons = "You have had the same copy four weeks ago, and nothing has changed since."
    yield from scene.proposed(Outcome.REFUSED, reasons, 4, "EXCESSIVE")


def returned(scene: Scene) -> Story:
    yield from scene.through_review(Right.ACCESS)
    yield scene.after(6)
    decide.return_case(
        scene.case, "The adviser's name stands in two notes: redact it.", scene.by_dpo(), timezone.now()
    )


def with_controller(scene: Scene) -> Story:
    """Approved here; where the instruction lets us decide, that was the last word."""
    yield from scene.through_review(Right.ERASURE)
    yield scene.after(6)
    decide.approve(scene.case, scene.by_dpo(), timezone.now())


def erasure_to_carry_out(scene: Scene) -> Story:
    yield from scene.through_review(Right.ERASURE)
    yield from scene.agreed()


def erasure_in_grace(scene: Scene) -> Story:
    """Approved two days ago: the customer can still cancel."""
    yield from erasure_to_carry_out(scene)


def letter_to_print(scene: Scene) -> Story:
    yield from scene.through_review(Right.ACCESS, channel=Channel.LETTER, answer_by=AnswerBy.POST)
    yield from scene.agreed()


def marketing_to_stop(scene: Scene) -> Story:
    yield from scene.logged(Right.OBJECTION, about_marketing=True)


def answered(scene: Scene) -> Story:
    yield from scene.through_review(Right.ACCESS)
    yield from scene.agreed()


def answered_and_fetched(scene: Scene) -> Story:
    yield from scene.logged(Right.ACCESS, channel=Channel.PORTAL)
    yield from _by_code(scene)
    yield from scene.taken()
    yield from _answered(scene, 4)
    yield from scene.fetched(9)


def answered_redacted(scene: Scene) -> Story:
    """One field is withheld before the rest goes out."""
    yield from scene.through_search(Right.ACCESS)
    yield scene.after(3)
    case = scene.case
    item = (
        case.items.filter(decision=ItemDecision.UNDECIDED, file=None).order_by("collection", "number").first()
    )
    if item is not None:
        name = max(item.content["data"])
        marks = {"fields": [{"field": name, "code": others_code(case.regime)}], "passages": []}
        review.redact(item, marks, scene.by_handler(), timezone.now())
    yield from _answered(scene, 4)


def answered_by_post(scene: Scene) -> Story:
    yield from letter_to_print(scene)
    yield from scene.posted(9)


def ported(scene: Scene) -> Story:
    yield from scene.through_review(Right.PORTABILITY, channel=Channel.PORTAL)
    yield from scene.agreed()
    yield from scene.fetched(10)


def misdirected(scene: Scene) -> Story:
    yield from answered(scene)
    yield scene.after(9)
    delivery = answer.live_delivery(scene.case)
    if delivery is not None:
        reason = "The address belongs to the customer's former household."
        answer.revoke(delivery, reason, True, scene.by_dpo(), timezone.now())


def complained(scene: Scene) -> Story:
    yield from answered(scene)
    yield scene.after(12)
    by, now = scene.stage.by(scene.stage.agent), timezone.now()
    people.complain(scene.case, scene.said("complaint"), Channel.CALL, now - timedelta(minutes=5), by, now)


def no_data(scene: Scene) -> Story:
    """Somebody whom no source knows."""
    stranger = f"nobody.{scene.number}@example.net"
    scene.person = Customer(**(vars(scene.person) | {"email": stranger, "account": f"X-{scene.number}"}))
    yield from scene.through_review(Right.ACCESS, channel=Channel.EMAIL)
    yield from scene.agreed()


def erased(scene: Scene) -> Story:
    yield from erasure_to_carry_out(scene)
    yield from scene.tasks_done_after_grace()
    yield from scene.recipients_answer(GRACE_OVER + 6)


def erased_in_part(scene: Scene) -> Story:
    """Bills are kept, as tax law asks."""
    yield from scene.through_search(Right.ERASURE)
    yield scene.after(3)
    keep = Choice(ItemDecision.KEEP, "LEGAL_OBLIGATION_OR_PUBLIC_TASK")
    bills = scene.case.items.filter(collection__in=("bill", "rechnung")).values_list(
        "source_id", "collection"
    )
    for source_id, name in bills.distinct():
        chosen = Selection(source_id=source_id, collection=name)
        review.decide(scene.case, chosen, keep, scene.by_handler(), timezone.now())
    yield from _answered(scene, 4)
    yield from scene.tasks_done_after_grace()


def erased_where_possible(scene: Scene) -> Story:
    yield from erasure_to_carry_out(scene)
    yield from scene.tasks_done_after_grace(impossible=True)


def corrected(scene: Scene) -> Story:
    claims = [
        {"field": "last_name", "wrong": scene.person.last_name, "right": f"{scene.person.last_name}-Lang"}
    ]
    yield from scene.through_review(Right.RECTIFICATION, claims=claims)
    yield from scene.agreed()
    yield from scene.tasks_done()


def restricted(scene: Scene) -> Story:
    yield from scene.through_review(Right.RESTRICTION)
    yield from scene.agreed()
    yield from scene.tasks_done()


def looked_at_by_a_person(scene: Scene) -> Story:
    yield from scene.through_review(Right.AUTOMATED)
    yield from scene.agreed()


def marketing_stopped(scene: Scene) -> Story:
    yield from marketing_to_stop(scene)
    yield from scene.tasks_done(1)


def withdrawn(scene: Scene) -> Story:
    yield from scene.through_search(Right.ACCESS)
    yield scene.after(5)
    reason = "Called again: the bill has been explained."
    people.withdraw(scene.case, scene.stage.by(scene.stage.agent), timezone.now(), reason=reason)


def _ended(outcome: Outcome, reasons: str, days: float = 6, code: str = "") -> Callable[[Scene], Story]:
    def story(scene: Scene) -> Story:
        yield from scene.logged(Right.ACCESS, channel=Channel.EMAIL)
        if outcome not in {Outcome.IDENTITY_NOT_VERIFIED, Outcome.NOT_A_REQUEST}:
            yield from scene.verified()
        yield from scene.taken()
        yield from scene.proposed(outcome, reasons, days, code)
        yield from scene.agreed(days + 1)

    return story


def no_reply(scene: Scene) -> Story:
    """Asked what the request is about, and never answered."""
    yield from question_open(scene)
    yield from scene.proposed(
        Outcome.NO_REPLY, "We asked twice which records you mean and had no answer.", 60
    )
    yield from scene.agreed(62)


refused = _ended(
    Outcome.REFUSED, "The same request has been answered three times this year.", code="EXCESSIVE"
)
duplicate = _ended(Outcome.DUPLICATE, "The same request is being worked already.")
transferred = _ended(Outcome.TRANSFERRED, "This is about a company that we have nothing to do with.")
not_a_request = _ended(Outcome.NOT_A_REQUEST, "A question about a bill, which was answered at once.")
not_verified = _ended(Outcome.IDENTITY_NOT_VERIFIED, "Nothing that we asked for came.", 20)

Tale = Callable[[Scene], Story]

# Days before today, one by one: late, due soon and fresh ones are among them.
OPEN: Sequence[tuple[Tale, Sequence[float]]] = (
    (awaiting_identity, (0.05, 9)),
    (awaiting_from_portal, (3,)),
    (document_shown, (2,)),
    (message_while_waiting, (8,)),
    (code_proves, (1.2,)),
    (question_open, (19,)),
    (source_failed, (27,)),
    (unassigned_review, (29,)),
    (in_review, (33,)),
    (half_reviewed, (11,)),
    (in_approval, (9, 37)),
    (extension_proposed, (13,)),
    (extended, (28,)),
    (with_controller, (15,)),
    (erasure_to_carry_out, (20,)),
    (erasure_in_grace, (8,)),
)
ENDED: Sequence[tuple[Tale, Sequence[float]]] = (
    (answered, (24,)),
    (answered_and_fetched, (64,)),
    (misdirected, (34,)),
    (complained, (41,)),
    (no_data, (29,)),
    (erased_in_part, (55,)),
    (marketing_stopped, (23,)),
    (withdrawn, (32,)),
    (refused, (50,)),
)
# What is told of one brand only, by the slug of the brand.
ONLY: Mapping[str, Sequence[tuple[Tale, Sequence[float]]]] = {
    "meridian": (
        (for_somebody_else, (6,)),
        (fee_open, (14,)),
        (message_in_review, (18,)),
        (returned, (21,)),
        (letter_to_print, (22,)),
        (answered_redacted, (40,)),
        # A search of this brand's help desk fails for good; the other's archive is waited for, and then goes on.
        (waiver_proposed, (12,)),
        (waived_and_answered, (58,)),
        (rerun_and_answered, (36,)),
        (erased, (38,)),
        (corrected, (61,)),
        (duplicate, (27,)),
        (not_a_request, (20,)),
        (no_reply, (75,)),
        (erasure_in_review, (13,)),
    ),
    "nordlicht": (
        (question_answered, (16,)),
        (erasure_in_review, (26,)),
        (refusal_in_approval, (17,)),
        (marketing_to_stop, (2,)),
        (answered_by_post, (47,)),
        (ported, (45,)),
        (erased_where_possible, (43,)),
        (restricted, (49,)),
        (looked_at_by_a_person, (35,)),
        (transferred, (39,)),
        (not_verified, (66,)),
    ),
}


def scenes(stage: Stage) -> Iterator[tuple[Scene, Tale]]:
    """Every story of a brand, each with a customer of its own."""
    listed = [*OPEN, *ENDED, *ONLY[stage.controller.slug]]
    told = [(tale, days) for tale, begun in listed for days in begun]
    for number, (tale, days) in enumerate(told):
        yield Scene(stage, number, days, stage.people[3 * number]), tale
