"""What workers do: one function per kind of job, and the tick."""

from datetime import timedelta
from functools import partial
from uuid import UUID

from celery import shared_task
from django.conf import settings
from django.core.mail import get_connection
from django.utils import timezone

from cases import authority
from cases.collection import blobs, engine, identifiers, inquiries, runs, turns
from cases.connectors.base import Connector, ConnectorError, Identifier, Throttled
from cases.connectors.questions import AnswersQuestions
from cases.correspondence import inquiries as inquiry_words
from cases.correspondence import send
from cases.fulfilment import dry_run, looking, parts, proof, proposing, recipient_call
from cases.fulfilment import execution as changing
from cases.models import (
    Case,
    Letter,
    LetterState,
    PackState,
    PlanPart,
    Recomputation,
    ResponsePack,
    RestrictedPlace,
    SourceSearch,
    SourceSystem,
)
from cases.packs import build
from cases.packs.spool import Spool
from cases.permissions import BY_SYSTEM
from cases.workflow import (
    answer,
    carry_out,
    correcting,
    date_moves,
    decide,
    disputed,
    document,
    execution,
    external,
    fields,
    health,
    identity,
    inquiry,
    late_proof,
    level,
    login,
    mail_code,
    marking,
    plan,
    recipients,
    recomputation,
    record_questions,
    reminders,
    retention,
    search,
    standing,
    text_code,
    unanswered,
    upkeep,
)
from cases.workflow.perform import lock
from dsar.jobs.queue import job
from dsar.jobs.run import Claim, PutBack, RetryLater
from dsar.lib.prepared import write
from dsar.lib.tenancy import unit_of_work
from identity import emergency
from identity import external as provider
from identity.access import all_controllers
from identity.documents import reading
from identity.evidence import keeping
from identity.models import DocumentStage, ExternalCheck, ExternalEvent, IdentityDocument, Verification
from identity.providers.base import Fact
from identity.providers.external.wire import Standing
from identity.sms.base import Trouble


def _search_given_up(claim: Claim, code: str) -> None:
    engine.fail(claim, UUID(claim.args["search"]), None, code)
    _search_ended(claim)


@job(runs.SEARCH, gave_up=_search_given_up)
def search_source(claim: Claim) -> None:
    """Search one source for one case."""
    search_id = UUID(claim.args["search"])
    assert claim.case_id is not None
    # The case before its searches, as whoever works on it locks them.
    around = engine.Around(before=partial(lock, claim.case_id), after=partial(_search_answered, claim))
    try:
        engine.search(claim, search_id, around)
    except ConnectorError as error:
        _search_in_trouble(claim, search_id, error)
        _search_ended(claim)


def _search_in_trouble(claim: Claim, search_id: UUID, error: ConnectorError) -> None:
    """The search failed, unless it goes on later."""
    with claim.step():
        found = SourceSearch.objects.get(pk=search_id)
    standing.after_trouble(claim, found, error, timezone.now())
    engine.fail(claim, search_id, error, error.code)


def _search_answered(claim: Claim, case: Case, found: SourceSearch) -> None:
    """What follows for the case and says of the source, with the end of the search: no death comes in between."""
    search.search_ended(case, found, timezone.now())
    if not turns.is_noted(found.source, timezone.now()):
        standing.went_well(found.source_id, timezone.now())
    claim.finish()


def _search_ended(claim: Claim) -> None:
    with claim.step():
        found = SourceSearch.objects.select_related("run__case", "source").get(pk=claim.args["search"])
        search.search_ended(lock(found.run.case_id), found, timezone.now())


@job(parts.BEGIN)
def begin_changes(claim: Claim) -> None:
    """Begin an approved plan, when the time to cancel is over and nothing keeps it."""
    with claim.step():
        wait = execution.begin(UUID(claim.args["plan"]), timezone.now())
    if wait is not None:
        raise PutBack("waits_to_begin", wait)


def _changes_given_up(claim: Claim, code: str) -> None:
    execution.fail(claim, UUID(claim.args["part"]), None, code, timezone.now())


@job(parts.EXECUTE, gave_up=_changes_given_up)
def execute_changes(claim: Claim) -> None:
    """Carry one source's part of a plan out, step by step."""
    part_id = UUID(claim.args["part"])
    try:
        changing.carry_out(claim, part_id, changing.Desk(execution.obstacle, standing.went_well))
    except ConnectorError as error:
        execution.in_trouble(claim, part_id, error, timezone.now())
        execution.fail(claim, part_id, error, error.code, timezone.now())
    else:
        execution.executed(claim, part_id, timezone.now())


@job(parts.LOOK)
def look_at_changed(claim: Claim) -> None:
    """Read again what was changed in a source after it had been approved, for whoever decides anew."""
    try:
        looking.look(claim, UUID(claim.args["part"]))
    except Throttled as error:
        raise turns.patience(claim, PlanPart.objects.filter(pk=claim.args["part"]), error) from None
    except ConnectorError as error:
        if error.retryable:
            raise RetryLater(error.code) from None


def _proof_given_up(claim: Claim, code: str) -> None:
    execution.not_proven(claim, UUID(claim.args["part"]), code, timezone.now())


@job(parts.PROVE, gave_up=_proof_given_up)
def prove_changes(claim: Claim) -> None:
    """Look for what is left in a source after it was changed."""
    part_id = UUID(claim.args["part"])
    try:
        left = proof.look(claim, part_id)
    except ConnectorError as error:
        execution.in_trouble(claim, part_id, error, timezone.now())
        execution.not_proven(claim, part_id, error.code, timezone.now())
    else:
        with claim.step():
            execution.proven(claim.case_id, part_id, left, timezone.now())


def _files_given_up(claim: Claim, code: str) -> None:
    blobs.give_up(claim, UUID(claim.args["search"]), code)
    _files_ended(claim)


@job(blobs.FETCH, gave_up=_files_given_up)
def fetch_files(claim: Claim) -> None:
    """Fetch the files that a search found, one by one."""
    try:
        blobs.fetch(claim, UUID(claim.args["search"]))
    except Throttled as error:
        raise turns.patience(claim, SourceSearch.objects.filter(pk=claim.args["search"]), error) from None
    except ConnectorError as error:
        blobs.give_up(claim, UUID(claim.args["search"]), error.code)
    _files_ended(claim)


@job(disputed.FIND)
def find_corrections(claim: Claim) -> None:
    """Look for what is said to be wrong among what was found."""
    disputed.find(claim, UUID(claim.args["case"]))


def _marking_given_up(claim: Claim, _code: str) -> None:
    marking.gave_up(claim)


@job(marking.MARK, gave_up=_marking_given_up)
def mark_restricted(claim: Claim) -> None:
    """Mark the records of a restriction in one source, or free them; what does not work is left to a person."""
    try:
        marking.run(claim, UUID(claim.args["place"]), claim.args["state"])
    except Throttled as error:
        raise turns.patience(claim, RestrictedPlace.objects.filter(pk=claim.args["place"]), error) from None
    except ConnectorError as error:
        raise RetryLater(error.code) from None


@job(correcting.PLAN)
def plan_corrections(claim: Claim) -> None:
    """Make the plan of a rectification that is decided."""
    correcting.make(claim, UUID(claim.args["plan"]))


@job(fields.APPLY)
def apply_field(claim: Claim) -> None:
    """Apply what was said of a field that nobody had described to the items of open cases."""
    fields.apply(claim, UUID(claim.args["field"]))


def _files_ended(claim: Claim) -> None:
    with claim.step():
        found = SourceSearch.objects.select_related("run__case").get(pk=claim.args["search"])
        search.settle(found.run.case, timezone.now())


@job(plan.PROPOSE)
def propose_plan(claim: Claim) -> None:
    """Propose what becomes of each record of an erasure."""
    plan_id = UUID(claim.args["plan"])
    with claim.step():
        plan.begin_proposing(plan_id)
    if proposing.make_lines(claim, plan_id):
        with claim.step():
            plan.proposed(plan_id, timezone.now())


def _dry_run_given_up(claim: Claim, code: str) -> None:
    dry_run.fail(claim, *_tried(claim), None, code)


@job(dry_run.DRY_RUN, gave_up=_dry_run_given_up)
def try_out_plan(claim: Claim) -> None:
    """Ask one source what it would do for the lines of a plan, and what stands in the way."""
    try:
        if not dry_run.run(claim, *_tried(claim)):
            return
    except Throttled as error:
        raise turns.patience(claim, PlanPart.objects.filter(pk=claim.args["part"]), error) from None
    except ConnectorError as error:
        _dry_run_in_trouble(claim, error)
    with claim.step():
        plan.dry_run_ended(UUID(claim.args["part"]), timezone.now())


def _dry_run_in_trouble(claim: Claim, error: ConnectorError) -> None:
    """It failed, unless it goes on later; what is wrong with the source is told to all who need it."""
    with claim.step():
        part = PlanPart.objects.get(pk=claim.args["part"])
        rests = standing.went_wrong(part.source_id, error, timezone.now())
    if error.retryable and not claim.last_attempt:
        raise RetryLater(error.code, rests) from None
    dry_run.fail(claim, *_tried(claim), error, error.code)


def _tried(claim: Claim) -> tuple[UUID, int]:
    return UUID(claim.args["part"]), int(claim.args["generation"])


def _pack_failed(claim: Claim, code: str) -> None:
    with claim.step():
        ResponsePack.objects.filter(pk=claim.args["pack"], state=PackState.BUILDING).update(
            state=PackState.FAILED, error_code=code[:60]
        )


@job(answer.BUILD, gave_up=_pack_failed)
def build_pack(claim: Claim) -> None:
    """Render an approved answer and make it available."""
    pack_id = UUID(claim.args["pack"])
    with Spool() as spool:
        with claim.step():
            pack = _as_approved(claim, pack_id)
            if pack is None:
                return
            content = build.content_of(pack, claim.step, spool, timezone.now())
        rendered = build.render(content)
    with claim.step():
        # Rendering takes its time: asked again, since the approval may have been taken back meanwhile.
        pack = _as_approved(claim, pack_id)
        if pack is None:
            rendered.discard()
            return
        build.keep(pack, rendered, timezone.now())
        pack.state, pack.built_at, pack.manifest = PackState.READY, timezone.now(), rendered.manifest
        write(pack, "state", "built_at", "manifest")
        answer.built(pack, timezone.now())
        carry_out.settle_held(pack.case, timezone.now())
        claim.finish()


def _as_approved(claim: Claim, pack_id: UUID) -> ResponsePack | None:
    """The pack, locked with its case, where it is still wanted, of exactly what was approved, by somebody who may.

    Anything else is shown as a failure.
    """
    assert claim.case_id is not None
    pack = answer.wanted(claim.case_id, pack_id)
    if pack is None:
        return None
    code = _why_not_built(pack)
    if code:
        _pack_failed(claim, code)
        return None
    return pack


def _why_not_built(pack: ResponsePack) -> str:
    """Why an answer is not made at this moment, as a code."""
    if decide.digest(pack.case, pack.decision) != pack.decision.digest:
        return "digest_differs"
    if not level.is_known(pack.case, timezone.now()):
        return level.lapsed(pack.case)
    return "" if authority.recipients(pack.case, timezone.now()) else "authority_lapsed"


def _letter_given_up(claim: Claim, code: str) -> None:
    with claim.step():
        letter = Letter.objects.select_for_update().get(pk=claim.args["letter"])
        if letter.state == LetterState.QUEUED:
            send.mark_failed(letter, code, BY_SYSTEM, timezone.now())
            recipients.letter_failed(letter, code, timezone.now())


@job(send.SEND, gave_up=_letter_given_up)
def send_letter(claim: Claim) -> None:
    """Send one mail, and let what waited for it go on."""
    with claim.step():
        letter = carry_out.leaving(UUID(claim.args["letter"]), timezone.now())
        if letter is None:
            return
        # Opened here, where the key can be had; what follows runs outside of the transaction.
        letter.title, letter.body, letter.address = letter.title, letter.body, letter.address
    try:
        send.deliver(letter, letter.subject_request.controller)
    except send.MAIL_TROUBLE as error:
        raise RetryLater(f"mail_{type(error).__name__}") from None
    with claim.step():
        carry_out.mailed(letter, timezone.now())


def _recipient_not_told(claim: Claim, code: str) -> None:
    with claim.step():
        recipients.call_failed(UUID(claim.args["notice"]), code, timezone.now())


@job(recipients.CALL, gave_up=_recipient_not_told)
def tell_recipient(claim: Claim) -> None:
    """Tell a recipient by an HTTP call; the same call, however often it is tried."""
    notice = UUID(claim.args["notice"])
    with claim.step():
        call = recipients.calling(notice)
    if call is None:
        return
    try:
        said = recipient_call.post(call, timezone.now())
    except recipient_call.CallFailed as failure:
        if failure.may_heal:
            raise RetryLater(failure.code) from None
        _recipient_not_told(claim, failure.code)
        return
    with claim.step():
        recipients.called(notice, said, timezone.now())


@job(level.REFRESH)
def refresh_levels(claim: Claim) -> None:
    """A policy was changed: open cases learn what they ask for now, a batch at a time."""
    after: UUID | None = None
    while True:
        with claim.step():
            after = level.refresh_open(claim.controller_id, after, timezone.now())
        if after is None:
            return


@job(identity.CHECK_ADDRESS)
def check_address(claim: Claim) -> None:
    """Ask the sources, yes or no, whether they know the requester's address."""
    with claim.step():
        verification = Verification.objects.select_related("subject_request__subject").get(
            pk=claim.args["verification"]
        )
        connectors, wanted = _connectors(claim), identifiers.contact_of(verification)
    on_file = _held(connectors, wanted)
    with claim.step():
        identity.address_checked(verification, on_file, timezone.now())


@job(mail_code.ASK)
def mail_a_code(claim: Claim) -> None:
    """Mail a code to whoever asked for one, where they asked for their own request."""
    with claim.step():
        mail_code.send(claim.controller_id, claim.args, timezone.now())


@job(text_code.ASK)
def text_a_code(claim: Claim) -> None:
    """Text a code to whoever asked for one: looked up first, then counted for good, then written."""
    with claim.step():
        asked = text_code.asked(claim.controller_id, claim.args, timezone.now())
        if asked is None:
            return
        connectors = _connectors(claim) if asked.needs_look_up else []
        wanted = identifiers.contact_of(asked.verification)
    if asked.needs_look_up:
        on_file = _held(connectors, wanted)
        with claim.step():
            identity.address_checked(asked.verification, on_file, timezone.now())
    with claim.step():
        may_write = text_code.count(claim.job_id, asked, timezone.now())
    if may_write:
        with claim.step():
            text_code.write(claim.job_id, timezone.now())


def _comparing_given_up(claim: Claim, code: str) -> None:
    """A source stayed away: the answers show nothing, and the customer is told as if they were wrong."""
    with claim.step():
        record_questions.compared(UUID(claim.args["verification"]), (), timezone.now())


@job(record_questions.COMPARE, gave_up=_comparing_given_up)
def compare_answers(claim: Claim) -> None:
    """Compare what a customer answered with what the sources hold, which is kept nowhere."""
    verification = UUID(claim.args["verification"])
    with claim.step():
        asked = record_questions.asked(verification)
        sources = SourceSystem.objects.filter(controller_id=claim.controller_id, is_active=True)
        wanted = list(sources.filter(slug__in=asked.names)) if asked else []
        connectors = {source.slug: found for source in wanted if (found := _connected(source))}
    facts = _facts(connectors, asked) if asked else []
    with claim.step():
        record_questions.compared(verification, facts, timezone.now())


def _facts(connectors: dict[str, Connector], asked: record_questions.Asked) -> list[Fact]:
    """What the sources hold; one that is away is asked again later."""
    found: list[Fact] = []
    for slug, connector in connectors.items():
        try:
            if isinstance(connector, AnswersQuestions):
                held = connector.facts(asked.identifier, asked.names[slug])
                found += [Fact(f"{slug}:{one.name}", "", one.value) for one in held]
        except ConnectorError as error:
            if error.retryable:
                raise RetryLater(error.code) from None
        finally:
            connector.close()
    return found


def _text_given_up(claim: Claim, code: str) -> None:
    with claim.step():
        text_code.failed(UUID(claim.args["text"]), code, timezone.now())


@job(text_code.SEND, gave_up=_text_given_up)
def send_text(claim: Claim) -> None:
    """Hand one text message to what sends it; the same message, however often it is tried."""
    message = UUID(claim.args["text"])
    with claim.step():
        leaving = text_code.leaving(message, timezone.now())
    if leaving is None:
        return
    text, backend = leaving
    try:
        backend.send(text)
    except Trouble as trouble:
        if trouble.may_heal:
            raise RetryLater(trouble.code) from None
        _text_given_up(claim, trouble.code)
        return
    with claim.step():
        text_code.sent(message, timezone.now())


@job(login.CHECK_LOGIN)
def check_login(claim: Claim) -> None:
    """Ask the sources, yes or no, whether they know what the customer's account and the person have in common."""
    with claim.step():
        verification = Verification.objects.select_related("subject_request").get(
            pk=claim.args["verification"]
        )
        connectors, wanted = _connectors(claim), login.wanted(verification)
    on_file = bool(wanted) and _held(connectors, wanted)
    with claim.step():
        login.looked_up(verification, on_file, timezone.now())


@job(document.READ_ZONE)
def read_zone(claim: Claim) -> None:
    """Read the machine-readable zone of a document that was sent; where nothing is found a reviewer types it."""
    wanted, now = UUID(claim.args["document"]), timezone.now()
    with claim.step():
        sent = IdentityDocument.objects.filter(pk=wanted, stage=DocumentStage.WAITING).first()
        pictures = [keeping.rendition(one) for one in sent.pictures.select_related("file")] if sent else []
    for picture in reversed(pictures):
        zone = reading.read_zone(picture, settings.TESSERACT, now.date())
        if zone is not None:
            with claim.step():
                document.machine_read(wanted, "\n".join(zone.lines), timezone.now())
            return


@job(external.TAKE)
def take_external(claim: Claim) -> None:
    """Let a provider's message count; where we compare the name ourselves, the provider is asked for it first."""
    with claim.step():
        event = ExternalEvent.objects.select_related("provider").get(pk=claim.args["event"])
        check = provider.check_of(event)
        # A message may be faster than the answer to our own question, which brings the session's id.
        if check is None and claim.attempt < external.PATIENCE:
            raise RetryLater("no_check_yet", timedelta(seconds=20))
        asked = external.asking(check) if check and external.needs_look(check, event) else None
    standing = _standing(asked) if asked else None
    with claim.step():
        external.take(event.pk, check.pk if check else None, standing, asked, timezone.now())


def _standing(asked: external.Asking) -> Standing:
    try:
        return provider.look(asked.connection, asked.session)
    except provider.Unreachable as trouble:
        raise RetryLater(trouble.code) from None


def _look_given_up(claim: Claim, code: str) -> None:
    with claim.step():
        check = ExternalCheck.objects.get(pk=claim.args["check"])
        external.looked(check.pk, claim.args["round"], None, external.asking(check), timezone.now())


@job(external.LOOK, gave_up=_look_given_up)
def look_at_external(claim: Claim) -> None:
    """Ask the provider how a session stands. No answer is asked for again on the usual rounds."""
    with claim.step():
        check = ExternalCheck.objects.get(pk=claim.args["check"])
        if not check.is_living or not check.session:
            return
        asked = external.asking(check)
    try:
        standing = provider.look(asked.connection, asked.session)
    except provider.Unreachable:
        standing = None
    with claim.step():
        external.looked(check.pk, claim.args["round"], standing, asked, timezone.now())


@job(external.CANCEL)
def cancel_external(claim: Claim) -> None:
    """Tell the provider that a session is not wanted any more."""
    with claim.step():
        asked = external.asking(ExternalCheck.objects.get(pk=claim.args["check"]))
    try:
        provider.cancel_session(asked.connection, asked.session)
    except provider.Unreachable as trouble:
        raise RetryLater(trouble.code) from None


def _connectors(claim: Claim) -> list[Connector]:
    """The controller's sources, ready to be asked."""
    sources = SourceSystem.objects.filter(controller_id=claim.controller_id, is_active=True)
    asked = [source for source in sources if turns.may_be_asked(source, timezone.now())]
    return [connector for source in asked if (connector := _connected(source))]


def _connected(source: SourceSystem) -> Connector | None:
    """None for a source whose settings cannot work: its own searches say so, the others are asked all the same."""
    try:
        return identifiers.connect(source)
    except ConnectorError:
        return None


def _held(connectors: list[Connector], wanted: list[Identifier]) -> bool:
    """True at the first source that knows one of these, each asked for by itself, since of several all must fit.

    A source that fails is asked again later, unless another knows.
    """
    trouble: list[ConnectorError] = []
    for connector in connectors:
        try:
            if any(_holds(connector, one, trouble) for one in wanted):
                return True
        finally:
            connector.close()
    if trouble:
        raise RetryLater(trouble[0].code)
    return False


def _holds(connector: Connector, wanted: Identifier, trouble: list[ConnectorError]) -> bool:
    try:
        return any(connector.holds([wanted]).values())
    except ConnectorError as error:
        trouble += [error] if error.retryable else []
        return False


@job(recomputation.RECOMPUTE)
def recompute_dates(claim: Claim) -> None:
    """Walk over a controller's open cases after a change of law, holidays or local days."""
    with claim.step():
        walk = Recomputation.objects.select_related("controller").get(pk=claim.args["walk"])
        if recomputation.is_overtaken(walk):
            return
        if recomputation.is_of_another_law(walk):
            raise RetryLater("another_law", timedelta(minutes=1))
    while walk.ended_at is None:
        with claim.step():
            walk = recomputation.go_on(walk.pk, timezone.now())
            claim.progress(examined=walk.examined, moved=walk.moved)


@job(date_moves.MAIL)
def mail_date_moves(claim: Claim) -> None:
    """Tell one person of the dates that a walk moved."""
    walk_id, person_id = UUID(claim.args["walk"]), UUID(claim.args["person"])
    with claim.step():
        mail = date_moves.written(walk_id, person_id, timezone.now())
    if mail is not None:
        try:
            mail.send()
        except send.MAIL_TROUBLE as error:
            raise RetryLater(f"mail_{type(error).__name__}") from None


@job(reminders.REMIND)
def remind(claim: Claim) -> None:
    """Tell of what is due to be told, a batch at a time, each in a step of its own."""
    told = 1
    while told:
        with claim.step():
            told = reminders.remind(claim.controller_id, timezone.now())


def _reminders_given_up(claim: Claim, code: str) -> None:
    with claim.step():
        reminders.mail_failed(UUID(claim.args["batch"]), UUID(claim.args["person"]))


@job(reminders.MAIL, gave_up=_reminders_given_up)
def mail_reminders(claim: Claim) -> None:
    """Send one person what was told together."""
    batch, person_id = UUID(claim.args["batch"]), UUID(claim.args["person"])
    with claim.step():
        written = reminders.written(batch, person_id, timezone.now())
    if written is not None:
        try:
            written.send()
        except send.MAIL_TROUBLE as error:
            raise RetryLater(f"mail_{type(error).__name__}") from None
    with claim.step():
        reminders.mailed(batch, person_id)


@job(unanswered.PURSUE)
def pursue_proof(claim: Claim) -> None:
    """Ask again who has not shown who they are, or propose to end: a request at a time, each in a step of its own."""
    is_more = True
    while is_more:
        with claim.step():
            is_more = unanswered.pursue_next(claim.controller_id, timezone.now())


def _mail(mail: inquiry_words.Mail) -> None:
    try:
        mail.send()
    except send.MAIL_TROUBLE as error:
        raise RetryLater(f"mail_{type(error).__name__}") from None


def _owner_not_asked(claim: Claim, code: str) -> None:
    with claim.step():
        inquiry.mail_failed(UUID(claim.args["inquiry"]), code)


@job(inquiries.MAIL, gave_up=_owner_not_asked)
def mail_owner(claim: Claim) -> None:
    """Ask the owner of a source that a person searches, or remind them. A link is made for each mail."""
    wanted, number = UUID(claim.args["inquiry"]), int(claim.args["mail"])
    with claim.step():
        mail = inquiry.written(wanted, number, timezone.now())
    if mail is not None:
        _mail(mail)
        with claim.step():
            inquiry.mailed(wanted, number, timezone.now())


@job(inquiry.MAIL_STAFF)
def mail_owner_silent(claim: Claim) -> None:
    """Tell somebody in charge of a case that a source's owner has not answered."""
    with claim.step():
        mail = inquiry.told(UUID(claim.args["inquiry"]), UUID(claim.args["person"]))
    if mail is not None:
        _mail(mail)


def _check_given_up(claim: Claim, code: str) -> None:
    with claim.step():
        health.ended(UUID(claim.args["check"]), health.Trial(0, code=code), timezone.now())


@job(health.CHECK, gave_up=_check_given_up)
def check_source(claim: Claim) -> None:
    """Try the connection of a source with reads only."""
    check_id = UUID(claim.args["check"])
    with claim.step():
        begun = health.begin(check_id)
    if begun is None:
        return
    trial = begun if isinstance(begun, health.Trial) else health.try_out(begun)
    with claim.step():
        health.ended(check_id, trial, timezone.now())


@job(standing.TELL)
def tell_of_source_trouble(claim: Claim) -> None:
    """Write to the administrators of a brand that one of its sources needs them."""
    with claim.step():
        mails = health.mails(UUID(claim.args["source"]), claim.args["what"], timezone.now())
    try:
        get_connection().send_messages(mails)
    except send.MAIL_TROUBLE as error:
        raise RetryLater(f"mail_{type(error).__name__}") from None


@job(emergency.TELL)
def tell_of_emergency(claim: Claim) -> None:
    """Write to those who oversee the brand that somebody reads its cases in an emergency."""
    with claim.step():
        mails = emergency.tell(UUID(claim.args["emergency"]))
    try:
        emergency.send(mails)
    except send.MAIL_TROUBLE as error:
        raise RetryLater(f"mail_{type(error).__name__}") from None


def _remind_every_ten_minutes(controller_id: UUID) -> None:
    """Days are what it counts in, and looking at a hundred thousand cases takes the database a second."""
    now = timezone.now()
    if now.minute % 10 == 0:
        with unit_of_work([controller_id]):
            reminders.order(controller_id, now)
            unanswered.order(controller_id, now)
            retention.order(controller_id, now)
        late_proof.reopen_proven(controller_id, now)


@job(retention.PURGE)
def purge(claim: Claim) -> None:
    """Forget what is due of one controller; killed half-way, what is left is done by the next attempt."""
    total = retention.Done()
    for _rule, done in retention.purge(claim.controller_id, timezone.now(), claim.step):
        total = total.together(done)
        with claim.step():
            claim.progress(**total.codes)


@shared_task
def tick() -> None:
    """Once a minute: what is due, for each controller in turn."""
    for controller_id in all_controllers():
        upkeep.run(controller_id, timezone.now())
        _remind_every_ten_minutes(controller_id)
    upkeep.run_for_all(timezone.now())
