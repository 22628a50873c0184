"""What can be done with a case from its page: each act with its words, its form and the verb that it calls.

The verbs judge and put refusals on the record; the permissions here only decide what is offered.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from cases.console import desk_forms as forms
from cases.console import forms_recipients, forms_rights
from cases.models import (
    AnswerCode,
    Case,
    CollectedFile,
    Delivery,
    Extension,
    FoundIdentifier,
    FulfilmentTask,
    InquiryState,
    Leftover,
    Letter,
    LineState,
    NoticeState,
    PlannedChange,
    PlanPart,
    RecipientNotice,
    ResponsePack,
    RestrictedPlace,
    Restriction,
    SecondLook,
    SourceSearch,
)
from cases.permissions import By
from cases.signals import Shown
from cases.signals import of as what_stands_out
from cases.workflow import (
    answer,
    authority,
    carry_out,
    date_moves,
    decide,
    doubts,
    extension,
    external,
    hold,
    identity,
    inquiry,
    lateness,
    letters,
    mending,
    people,
    portability,
    questions,
    recipients,
    reopening,
    restriction,
    search,
    second_look,
    signals,
    standing,
    suppression,
)
from identity.models import ExternalCheck, Level, Verification, VerificationState
from identity.roles import Permission


@dataclass(frozen=True)
class Deed:
    """One press of a button: the case, or something of it, what was typed, by whom, and when."""

    case: Case
    target: Any
    data: dict[str, Any]
    by: By
    now: datetime
    version: int | None
    form: Any = None


@dataclass(frozen=True)
class Act:
    """``find`` is set where the act is about something of the case, which it looks up by id.

    What sends an answer, records an erasure, or is the second pair of eyes ``has_weight``.
    """

    title: Any
    button: Any
    done: Any
    do: Callable[[Deed], object]
    form: type[forms.DeskForm] = forms.DeskForm
    lede: Any = ""
    permissions: tuple[Permission, ...] = (Permission.WORK,)
    kind: str = "primary"
    find: Callable[[Case, UUID], Any] | None = field(default=None)
    has_weight: bool = False

    def is_offered(self, by: By, case: Case) -> bool:
        return any(by.allows(permission, case.controller_id) for permission in self.permissions)


def notice_of(case: Case, notice_id: UUID) -> RecipientNotice | None:
    found: RecipientNotice | None = (
        case.recipient_notices.filter(pk=notice_id).select_related("recipient", "case").first()
    )
    return found


def letter_of(case: Case, letter_id: UUID) -> Letter | None:
    """A letter of the case, or of its request as a whole."""
    mine = Q(case=case) | Q(case=None)
    found: Letter | None = (
        Letter.objects.filter(mine, pk=letter_id, subject_request_id=case.subject_request_id)
        .select_related("subject_request__controller", "case")
        .first()
    )
    return found


def verification_of(case: Case, verification_id: UUID) -> Verification | None:
    """A check of the case's request that reached something."""
    reached = case.subject_request.verifications.filter(state=VerificationState.ACHIEVED)
    found: Verification | None = reached.filter(pk=verification_id).first()
    return found


def signal_of(case: Case, signal_id: UUID) -> Shown | None:
    """A signal about the case's request that nobody has looked into."""
    open_ones = [one for one in what_stands_out(case, timezone.now()) if one.dismissal is None]
    return next((one for one in open_ones if one.id == signal_id), None)


def external_of(case: Case, check_id: UUID) -> ExternalCheck | None:
    """A check of the case's request at an external provider."""
    own = ExternalCheck.objects.filter(verification__subject_request_id=case.subject_request_id)
    return own.select_related("provider").filter(pk=check_id).first()


def search_of(case: Case, search_id: UUID) -> SourceSearch | None:
    found: SourceSearch | None = (
        SourceSearch.objects.filter(pk=search_id, run__case=case)
        .select_related("run__case", "source")
        .first()
    )
    return found


def task_of(case: Case, task_id: UUID) -> FulfilmentTask | None:
    found: FulfilmentTask | None = case.tasks.filter(pk=task_id).select_related("case", "source").first()
    return found


def restriction_of(case: Case, restriction_id: UUID) -> Restriction | None:
    """A restriction that this case has brought about, in force."""
    mine = case.restrictions.filter(begun_at__isnull=False, lifted_at=None)
    found: Restriction | None = mine.filter(pk=restriction_id).select_related("case").first()
    return found


def place_of(case: Case, place_id: UUID) -> RestrictedPlace | None:
    """One system of a restriction of this case."""
    own = RestrictedPlace.objects.filter(restriction__case=case).select_related("restriction__case", "source")
    return own.filter(pk=place_id).first()


def look_of(case: Case, look_id: UUID) -> SecondLook | None:
    """A look at the automated decision that has not ended."""
    found: SecondLook | None = case.looks.filter(pk=look_id, found_at=None).select_related("case").first()
    return found


def delivery_of(case: Case, delivery_id: UUID) -> Delivery | None:
    found: Delivery | None = (
        Delivery.objects.filter(pk=delivery_id, pack__case=case).select_related("pack__case").first()
    )
    return found


def pack_of(case: Case, pack_id: UUID) -> ResponsePack | None:
    found: ResponsePack | None = case.packs.filter(pk=pack_id).select_related("case", "decision").first()
    return found


def part_of(case: Case, part_id: UUID) -> PlanPart | None:
    kept = PlanPart.objects.filter(pk=part_id, plan__case=case)
    return kept.select_related("plan__case", "source").first()


def leftover_of(case: Case, leftover_id: UUID) -> Leftover | None:
    kept = Leftover.objects.filter(pk=leftover_id, part__plan__case=case)
    return kept.select_related("part__plan__case", "part__source", "proposed_by").first()


def changed_line_of(case: Case, line_id: UUID) -> PlannedChange | None:
    kept = PlannedChange.objects.filter(pk=line_id, plan__case=case, state=LineState.STALE)
    return kept.select_related("item", "source").first()


def _decide_changed(deed: Deed, ids: Sequence[UUID]) -> object:
    data = deed.data
    return mending.redecide(
        deed.case, ids, data["choice"], data.get("basis", ""), data["reason"], deed.by, deed.now
    )


def _all_changed(case: Case) -> list[UUID]:
    return list(
        PlannedChange.objects.filter(plan__case=case, state=LineState.STALE).values_list("pk", flat=True)
    )


def file_of(case: Case, file_id: UUID) -> CollectedFile | None:
    return (
        CollectedFile.objects.filter(pk=file_id, case=case).select_related("case", "search__source").first()
    )


def found_identifier_of(case: Case, found_id: UUID) -> FoundIdentifier | None:
    kept = FoundIdentifier.objects.filter(pk=found_id, case=case)
    return kept.select_related("case", "source").first()


def extension_of(case: Case, extension_id: UUID) -> Extension | None:
    found: Extension | None = case.extensions.filter(pk=extension_id).select_related("case").first()
    return found


def _record_evidence(deed: Deed) -> None:
    data = deed.data
    seen = (Level(data["level"]), data["code"], data["remark"])
    identity.record_evidence(deed.case, *seen, deed.by, deed.now, came_at=data["came_at"])


ACTS: dict[str, Act] = {
    "begin-search": Act(
        _("Search the sources"),
        _("Begin the search"),
        _("The search has begun."),
        lambda deed: search.begin(deed.case, deed.by, deed.now),
    ),
    "ask-identity": Act(
        _("Ask for proof of identity"),
        _("Ask for identity"),
        _("The customer is asked to prove who they are."),
        lambda deed: identity.ask(deed.case, deed.by, deed.now),
        permissions=(Permission.WORK, Permission.LOG_REQUEST),
    ),
    "record-identity": Act(
        _("Record evidence of identity"),
        _("Record the evidence"),
        _("The evidence is recorded."),
        _record_evidence,
        forms.Evidence,
        _("What you record serves all cases of this request. Note what was seen and keep no copy."),
        (Permission.RECORD_IDENTITY,),
    ),
    "retract-identity": Act(
        _("This proof does not count"),
        _("Take it back"),
        _("The proof is taken back: it opens nothing any more."),
        lambda deed: identity.retract(deed.case, deed.target.pk, deed.data["reason"], deed.by, deed.now),
        forms.Reason,
        _("Where what was shown turned out to be somebody else's or forged. It serves no case any more."),
        (Permission.RECORD_IDENTITY,),
        "danger",
        find=verification_of,
    ),
    "dismiss-signal": Act(
        _("I have looked into it"),
        _("Put it aside"),
        _("Put aside, with your remark. What it is about is as it was."),
        lambda deed: signals.dismiss(deed.case, deed.target.id, deed.data["reason"], deed.by, deed.now),
        forms.SignalRemark,
        permissions=(Permission.RECORD_IDENTITY, Permission.APPROVE),
        find=signal_of,
    ),
    "cancel-external": Act(
        _("Cancel the check at the provider"),
        _("Cancel the check"),
        _("The check is cancelled."),
        lambda deed: external.cancel(deed.case, deed.target.pk, deed.by, deed.now),
        lede=_("What the provider finds afterwards is recorded and does not count."),
        permissions=(Permission.RECORD_IDENTITY,),
        kind="danger",
        find=external_of,
    ),
    "repeat-external": Act(
        _("Offer the check once more"),
        _("Write to the customer"),
        _("The customer is told that they can begin the check once more."),
        lambda deed: external.invite_again(deed.case, deed.target.pk, deed.by, deed.now),
        lede=_("The customer gets a message, and begins it on the page of their request."),
        permissions=(Permission.RECORD_IDENTITY,),
        find=external_of,
    ),
    "count-external": Act(
        _("Count the late result and open the case again"),
        _("Open the case again"),
        _("The result counts, and the case is open again."),
        lambda deed: external.count_late(deed.case, deed.target.pk, deed.data["reason"], deed.by, deed.now),
        forms.Reason,
        _(
            "The provider verified the customer after the case was closed. The search begins, and the clock goes on."
        ),
        (Permission.RECORD_IDENTITY,),
        find=external_of,
    ),
    "ask-authority": Act(
        _("Ask the representative for their authority"),
        _("Send the question"),
        _("The question is on its way; the clock waits for the authority where its law lets it."),
        lambda deed: authority.ask(deed.case, deed.data["text"], deed.by, deed.now, version=deed.version),
        forms.Message,
        _("Ask once, for what is needed: a signed authority, a power of attorney. Ask at once."),
    ),
    "clarify": Act(
        _("Ask the customer what they mean"),
        _("Send the question"),
        _("The question is on its way."),
        lambda deed: questions.ask_clarification(
            deed.case,
            deed.data["question"],
            deed.data["large_quantity"],
            deed.by,
            deed.now,
            version=deed.version,
        ),
        forms.Clarification,
        _("Ask only for what is needed. Any answer ends the wait, even that they want everything."),
    ),
    "clarified": Act(
        _("Record the customer's answer"),
        _("Record the answer"),
        _("The answer is recorded, and the case goes on."),
        lambda deed: questions.answer_clarification(
            deed.case, deed.data["text"], deed.data["at"], deed.by, deed.now
        ),
        forms.Answered,
    ),
    "fee": Act(
        _("Ask for a fee"),
        _("Ask for the fee"),
        _("The customer is asked for the fee."),
        lambda deed: questions.ask_fee(
            deed.case, deed.data["amount"], deed.data["reason"], deed.by, deed.now, version=deed.version
        ),
        forms.Fee,
        _("Only a manifestly unfounded or excessive request may cost anything (Article 12(5))."),
    ),
    "paid": Act(
        _("Record that the fee was paid"),
        _("Record the payment"),
        _("The payment is recorded."),
        lambda deed: questions.receive_fee(
            deed.case, deed.data["at"], deed.by, deed.now, version=deed.version
        ),
        forms.Paid,
    ),
    "search-again": Act(
        _("Search the sources again"),
        _("Search again"),
        _("The sources are searched again."),
        lambda deed: search.again(
            deed.case, deed.by, deed.now, reason=deed.data["reason"], version=deed.version
        ),
        forms.Reason,
        _("What was found is kept; what changed since is seen again."),
    ),
    "late-answer": Act(
        _("A late answer changes the request"),
        _("Void the proposal and search again"),
        _("The proposal is void, and the sources are searched again."),
        lambda deed: search.late_answer(deed.case, deed.by, deed.now),
        lede=_("What was proposed is set aside, and the case goes back to searching."),
        kind="danger",
    ),
    "take-proposal-back": Act(
        _("Take the proposal back"),
        _("Take it back"),
        _("The case is back in your hands."),
        lambda deed: decide.return_case(
            deed.case, deed.data["reason"], deed.by, deed.now, version=deed.version
        ),
        forms.Reason,
    ),
    "take-back": Act(
        _("Take the approval back"),
        _("Take it back"),
        _("The case is back in review."),
        lambda deed: carry_out.take_back(
            deed.case, deed.data["reason"], deed.by, deed.now, version=deed.version
        ),
        forms.Reason,
        _("Possible while nothing was sent, erased or corrected."),
        (Permission.WORK, Permission.APPROVE),
        "danger",
    ),
    "withdraw": Act(
        _("The customer withdraws"),
        _("Withdraw the case"),
        _("The case is withdrawn; the customer gets a confirmation."),
        lambda deed: people.withdraw(
            deed.case, deed.by, deed.now, reason=deed.data["reason"], version=deed.version
        ),
        forms.Withdrawal,
        _("Only the customer can take a request back. It closes the case."),
        (Permission.WORK, Permission.LOG_REQUEST),
        "danger",
    ),
    "reopen": Act(
        _("Reopen the case"),
        _("Reopen"),
        _("The case is open again."),
        lambda deed: reopening.reopen(
            deed.case,
            deed.data["where"],
            deed.data["reason"],
            deed.by,
            deed.now,
            answered_at=deed.data.get("answered_at"),
            version=deed.version,
        ),
        forms.Reopen,
        _("The facts stay as they are, and so does what follows from them: the date is computed anew."),
    ),
    "take-extension-back": Act(
        _("Take the extension back"),
        _("Take it back"),
        _("The extension is taken back; the date stays as it is."),
        lambda deed: extension.withdraw(
            deed.target, deed.data["reason"], deed.by, deed.now, version=deed.version
        ),
        forms.Reason,
        find=extension_of,
    ),
    "explain-lateness": Act(
        _("Say why it is late"),
        _("Keep the reason"),
        _("The reason is kept with the case."),
        lambda deed: lateness.explain(
            deed.case,
            lateness.Why(deed.data["late_code"], deed.data["late_remark"]),
            deed.by,
            deed.now,
            version=deed.version,
        ),
        forms.LateReasonAlone,
        _("A regulator asks for it, and it shows where to help. The customer does not see it."),
        (Permission.WORK, Permission.APPROVE, Permission.APPROVE_FOR_CONTROLLER),
    ),
    "hold": Act(
        _("Set a legal hold on this person"),
        _("Set the hold"),
        _("A legal hold lies on this person: nothing of theirs is erased."),
        lambda deed: hold.set_hold(deed.case, deed.data["reason"], deed.by, deed.now, version=deed.version),
        forms.HoldReason,
        _(
            "It holds for everything that the brand has of this person, in every case, also where an erasure was"
            " approved already. The customer is not told."
        ),
        (Permission.LEGAL_HOLD,),
        "danger",
    ),
    "lift-hold": Act(
        _("Lift the legal hold"),
        _("Lift the hold"),
        _("The hold is lifted: erasures that waited can be carried out."),
        lambda deed: hold.lift_hold(deed.case, deed.data["reason"], deed.by, deed.now, version=deed.version),
        forms.HoldReason,
        permissions=(Permission.LEGAL_HOLD,),
        has_weight=True,
    ),
    "assign": Act(
        _("Assign the case"),
        _("Assign"),
        _("The case is assigned."),
        lambda deed: people.assign(deed.case, deed.data["owner"], deed.by, deed.now, version=deed.version),
        forms.Assign,
        _("Somebody who is away passes it on to their cover."),
        (Permission.ASSIGN,),
    ),
    "note": Act(
        _("Write a note"),
        _("Add the note"),
        _("The note is kept."),
        lambda deed: people.add_note(deed.case, deed.data["text"], deed.by, deed.now),
        forms.Note,
        permissions=(Permission.VIEW_CASE,),
    ),
    "message": Act(
        _("Write to the customer"),
        _("Send the message"),
        _("The message is on its way."),
        lambda deed: letters.say(deed.case, deed.data["text"], deed.by, deed.now),
        forms.Message,
    ),
    "date-seen": Act(
        _("The due date moved"),
        _("I have seen it"),
        _("Noted: the moved date was seen."),
        lambda deed: date_moves.seen(deed.case, deed.by, deed.now),
        lede=_(
            "The law, the public holidays or the brand's own days changed, and the dates were computed anew."
        ),
    ),
    "read": Act(
        _("Mark the message as read"),
        _("Mark as read"),
        _("Marked as read."),
        lambda deed: letters.mark_read(deed.target, deed.by, deed.now),
        find=letter_of,
    ),
    "posted": Act(
        _("The letter was posted"),
        _("Mark as posted"),
        _("The letter counts as sent."),
        lambda deed: carry_out.posted(deed.target, deed.data["tracking"], deed.by, deed.now),
        forms.Posted,
        _("Mark it when the post has it: from then on the answer counts as given."),
        find=letter_of,
    ),
    "bounced": Act(
        _("The letter came back"),
        _("Mark as bounced"),
        _("The letter is marked as bounced."),
        lambda deed: carry_out.letter_bounced(deed.target, deed.by, deed.now),
        lede=_("What came back was not given: a closed case opens again."),
        kind="danger",
        find=letter_of,
    ),
    "send-again": Act(
        _("Send the mail again"),
        _("Send again"),
        _("The mail is on its way again."),
        lambda deed: letters.send_again(deed.target, deed.by, deed.now),
        lede=_("It goes to the address that is noted now."),
        find=letter_of,
        has_weight=True,
    ),
    "print-instead": Act(
        _("Send it by post instead"),
        _("Print it instead"),
        _("The letter waits to be printed and posted."),
        lambda deed: letters.print_instead(deed.target, deed.by, deed.now),
        find=letter_of,
    ),
    "rerun": Act(
        _("Search this source again"),
        _("Search again"),
        _("The source is searched again; the others stand."),
        lambda deed: search.rerun(deed.target, deed.by, deed.now),
        find=search_of,
    ),
    "strike-identifier": Act(
        _("Use this identifier no more"),
        _("Strike it out"),
        _("It is struck out. What it led to is taken back, and collected anew without it."),
        lambda deed: doubts.strike(deed.target, deed.data["reason"], deed.by, deed.now, version=deed.version),
        forms.Reason,
        _("The sources where it was used are searched again from the beginning, without it."),
        kind="danger",
        find=found_identifier_of,
    ),
    "fetch-file": Act(
        _("Fetch the file again"),
        _("Fetch it again"),
        _("The file is fetched again."),
        lambda deed: doubts.fetch_again(deed.target, deed.by, deed.now),
        find=file_of,
    ),
    "waive-file": Act(
        _("Go on without this file"),
        _("Go on without it"),
        _("The answer goes on without this file."),
        lambda deed: doubts.waive_file(deed.target, deed.data["reason"], deed.by, deed.now),
        forms.Reason,
        _("The answer says that there is such a file, and that it could not be had."),
        find=file_of,
    ),
    "agree-to-search": Act(
        _("Read this source as a whole"),
        _("Agree"),
        _("Agreed: the source is searched."),
        lambda deed: standing.agree(deed.target, deed.by, deed.now),
        find=search_of,
    ),
    "propose-waiver": Act(
        _("Go on without this source"),
        _("Propose to go on without it"),
        _("A second person has to agree."),
        lambda deed: search.propose_waiver(deed.target, deed.data["reason"], deed.by, deed.now),
        forms.WaiverReason,
        find=search_of,
    ),
    "waive": Act(
        _("Agree to go on without this source"),
        _("Agree"),
        _("The answer goes out without this source, and says why."),
        lambda deed: search.waive(deed.target, deed.by, deed.now),
        permissions=(Permission.WAIVE_SOURCE,),
        find=search_of,
        has_weight=True,
    ),
    "ask-owner-again": Act(
        _("Ask the owner again"),
        _("Send another mail"),
        _("Another mail with a new link is on its way."),
        lambda deed: inquiry.ask_again(deed.target, deed.by, deed.now),
        find=search_of,
    ),
    "answer-for-owner": Act(
        _("Record what the owner said"),
        _("Record it"),
        _("The answer of the source's owner is recorded."),
        lambda deed: inquiry.answer_for_owner(
            deed.target, InquiryState(deed.data["said"]), deed.data["note"], deed.by, deed.now
        ),
        forms.OwnerSaid,
        lede=_("The link in the owner's mail closes. Files that they give you are added in the review."),
        find=search_of,
    ),
    "task": Act(
        _("Record a task"),
        _("Record it"),
        _("The task is recorded."),
        lambda deed: carry_out.record_task(
            deed.target, deed.data["result"] == "done", deed.data["evidence"], deed.by, deed.now
        ),
        forms.TaskDone,
        find=task_of,
        has_weight=True,
    ),
    "restrict-meanwhile": Act(
        _("Let the use rest meanwhile"),
        _("Restrict it now"),
        _("The use is restricted, and the customer is told."),
        lambda deed: restriction.begin_meanwhile(
            deed.case, deed.form.chosen(), deed.by, deed.now, version=deed.version
        ),
        forms_rights.MeanwhileForm,
        _("While it is checked, the data is kept and not used (Article 18(1)). It begins at once."),
    ),
    "mark-place": Act(
        _("Record how it was marked"),
        _("Record it"),
        _("The mark is recorded."),
        lambda deed: restriction.mark(
            deed.target, deed.data["result"] == "done", deed.data["evidence"], deed.by, deed.now
        ),
        forms.TaskDone,
        find=place_of,
    ),
    "mark-again": Act(
        _("Let the connector try again"),
        _("Try again"),
        _("The connector tries again."),
        lambda deed: restriction.try_again(deed.target, deed.by, deed.now),
        lede=_("What it has done already is not done again."),
        find=place_of,
    ),
    "free-place": Act(
        _("Record how the mark was taken away"),
        _("Record it"),
        _("It is recorded."),
        lambda deed: restriction.free(deed.target, deed.data["evidence"], deed.by, deed.now),
        forms_rights.FreedForm,
        find=place_of,
    ),
    "agree-to-lift": Act(
        _("The restriction shall end"),
        _("Agree, and send the letter"),
        _("Agreed: the letter is on its way. The restriction ends only after it."),
        lambda deed: restriction.agree_to_lift(deed.target, deed.by, deed.now, version=deed.version),
        lede=_("The customer is told before it is lifted (Article 18(3)). This is the letter."),
        permissions=(Permission.APPROVE,),
        find=restriction_of,
        has_weight=True,
    ),
    "keep-restriction": Act(
        _("The restriction goes on after all"),
        _("Keep it in force"),
        _("The restriction stays in force."),
        lambda deed: restriction.keep(
            deed.target, deed.data["reason"], deed.by, deed.now, version=deed.version
        ),
        forms.Reason,
        permissions=(Permission.WORK, Permission.APPROVE),
        find=restriction_of,
    ),
    "lift-restriction": Act(
        _("Lift the restriction"),
        _("Lift it"),
        _("The restriction is lifted. Take the marks away, and record how."),
        lambda deed: restriction.lift(deed.target, deed.by, deed.now, version=deed.version),
        lede=_("The customer was told. From now on the data may be used again."),
        find=restriction_of,
        has_weight=True,
    ),
    "look-ended": Act(
        _("What you found"),
        _("Put it on record"),
        _("Your finding is on record."),
        lambda deed: second_look.end(
            deed.target,
            deed.data["finding"],
            deed.data["reasons"],
            deed.by,
            deed.now,
            version=deed.version,
        ),
        forms_rights.FindingForm,
        _("Look at everything that went into the decision, and at what the customer says to it."),
        (Permission.VIEW_CONTENT,),
        find=look_of,
        has_weight=True,
    ),
    "give-the-rest": Act(
        _("Take along what is left"),
        _("Let it go along"),
        _("What was still to be decided goes along."),
        lambda deed: portability.give_the_rest(deed.case, deed.by, deed.now, version=deed.version),
        lede=_("Everything of the customer's own that is still to be decided goes into the answer."),
    ),
    "revoke": Act(
        _("Revoke the answer"),
        _("Revoke it"),
        _("The answer can no longer be fetched."),
        lambda deed: answer.revoke(
            deed.target, deed.data["reason"], deed.data["is_misdirected"], deed.by, deed.now
        ),
        forms.Revoke,
        _("Every link to it stops working at once."),
        (Permission.RELEASE_CONTROL,),
        "danger",
        find=delivery_of,
    ),
    "deliver-again": Act(
        _("Make the answer available again"),
        _("Make it available"),
        _("The answer can be fetched again; the customer is told."),
        lambda deed: answer.make_available_again(deed.target, deed.by, deed.now),
        permissions=(Permission.RELEASE_CONTROL,),
        find=pack_of,
        has_weight=True,
    ),
    "recipient-answer": Act(
        _("Record a recipient's answer"),
        _("Record it"),
        _("The answer of the recipient is recorded."),
        lambda deed: recipients.record_answer(
            deed.target, AnswerCode(deed.data["code"]), deed.data["words"], deed.by, deed.now
        ),
        forms_recipients.RecipientAnswer,
        find=notice_of,
    ),
    "recipient-excuse": Act(
        _("A recipient cannot be told"),
        _("Record the reason"),
        _("It is recorded why this recipient is not told."),
        lambda deed: recipients.excuse(
            deed.target, NoticeState(deed.data["why"]), deed.data["reason"], deed.by, deed.now
        ),
        forms_recipients.RecipientExcuse,
        _(
            "The law frees from telling only where it is impossible or takes disproportionate effort (Article 19)."
        ),
        find=notice_of,
    ),
    "recipient-again": Act(
        _("Tell a recipient again"),
        _("Send it again"),
        _("The notice is on its way again."),
        lambda deed: recipients.try_again(deed.target, deed.by, deed.now),
        lede=_("It goes by the way and to the address that administrators have given now."),
        find=notice_of,
    ),
    "name-recipients": Act(
        _("The customer asks who received their data"),
        _("Name them in the letter"),
        _("Noted: our letter names the recipients."),
        lambda deed: recipients.ask_names(deed.case, deed.by, deed.now),
        permissions=(Permission.WORK, Permission.LOG_REQUEST),
    ),
    "end-marketing": Act(
        _("The customer wants no advertising ever again"),
        _("Put it on the suppression list"),
        _(
            "Noted: once the erasure is carried out, the addresses are kept as keyed hashes, to send nothing to them."
        ),
        lambda deed: suppression.ask_for(deed.case, deed.by, deed.now, version=deed.version),
        lede=_("Else the next import could bring the person back."),
    ),
    "rebuild": Act(
        _("Build the answer again"),
        _("Build it again"),
        _("The answer is being built."),
        lambda deed: answer.rebuild(deed.target, deed.by, deed.now),
        find=pack_of,
        has_weight=True,
    ),
    "expedite": Act(
        _("Carry it out at once"),
        _("Carry it out now"),
        _("It begins now."),
        lambda deed: mending.expedite(
            deed.case, deed.data["reason"], deed.by, deed.now, version=deed.version
        ),
        forms.Hurry,
        _("Only where it cannot wait, such as a danger to the person: afterwards nothing can be taken back."),
        kind="danger",
        has_weight=True,
    ),
    "retry-part": Act(
        _("Take it up again"),
        _("Go on with it"),
        _("It goes on from where it stopped; what is done is not done again."),
        lambda deed: mending.retry(deed.target, deed.by, deed.now),
        find=part_of,
    ),
    "end-part": Act(
        _("Try no more in this source"),
        _("End here"),
        _("Nothing more is tried there. What is left is looked for."),
        lambda deed: mending.end_here(deed.target, deed.data["reason"], deed.by, deed.now),
        forms.Reason,
        _("What is left there holds the case until two people have settled it."),
        kind="danger",
        find=part_of,
    ),
    "look-for-leftovers": Act(
        _("Look again whether it is gone"),
        _("Look again"),
        _("The source is searched once more."),
        lambda deed: mending.look_again(deed.target, deed.by, deed.now),
        find=part_of,
    ),
    "carry-out-again": Act(
        _("Carry it out again"),
        _("Carry it out again"),
        _("It is carried out once more, as it was approved."),
        lambda deed: mending.carry_out_again(deed.target, deed.by, deed.now),
        find=leftover_of,
        has_weight=True,
    ),
    "propose-leftover": Act(
        _("Propose to let it stay"),
        _("Propose it"),
        _("A second person decides."),
        lambda deed: mending.propose_acceptance(deed.target, deed.data["reason"], deed.by, deed.now),
        forms.Reason,
        _("The letter to the customer says that it is only partly done."),
        find=leftover_of,
    ),
    "accept-leftover": Act(
        _("Agree that it stays"),
        _("Agree"),
        _("It stays, and the case goes on."),
        lambda deed: mending.accept(deed.target, deed.by, deed.now),
        lede=_("Whoever proposed it cannot agree."),
        permissions=(Permission.WAIVE_SOURCE,),
        find=leftover_of,
        has_weight=True,
    ),
    "decide-changed": Act(
        _("Decide anew about a record that changed"),
        _("Decide"),
        _("Decided. A second person has to approve it."),
        lambda deed: _decide_changed(deed, [deed.target.pk]),
        forms.ChangedRecord,
        _(
            "It was changed in its source after the approval, and was left alone. Look at what it holds now first."
        ),
        find=changed_line_of,
    ),
    "decide-all-changed": Act(
        _("Decide alike about all records that changed"),
        _("Decide"),
        _("Decided. A second person has to approve it."),
        lambda deed: _decide_changed(deed, _all_changed(deed.case)),
        forms.ChangedRecord,
        _("They were changed in their sources after the approval, and were left alone."),
    ),
    "approve-changed": Act(
        _("Approve what was decided anew"),
        _("Approve"),
        _("Approved. It is carried out now."),
        lambda deed: mending.approve_changed(deed.case, deed.by, deed.now),
        lede=_("Whoever decided it cannot approve it."),
        permissions=(Permission.APPROVE, Permission.APPROVE_FOR_CONTROLLER),
        has_weight=True,
    ),
    "return-changed": Act(
        _("Send back what was decided anew"),
        _("Send it back"),
        _("It goes back to the handler."),
        lambda deed: mending.return_changed(deed.case, deed.data["reason"], deed.by, deed.now),
        forms.Reason,
        permissions=(Permission.APPROVE, Permission.APPROVE_FOR_CONTROLLER),
    ),
}
