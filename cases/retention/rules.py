"""The rules: each kind of personal data that the desk holds, why, from when its time runs, how long, and what then.

``rows`` and ``fields`` name what a rule covers, and how each leads to what the rule counts by (a case, a request, a
person). A test walks through all models of all installed apps and fails where something can hold personal data and
is named neither by a rule nor in ``HOLDS_NONE``.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from django.utils.translation import gettext_lazy as _

from cases.retention.period import Period, days, years
from identity.policy.rules import NO_LONGER


class Then(StrEnum):
    """What happens when the time is over."""

    KEY = "key"
    ROWS = "rows"
    FIELDS = "fields"
    FILES = "files"
    NOTHING = "nothing"


THEN: Mapping[Then, Any] = {
    Then.KEY: _("its key is destroyed"),
    Then.ROWS: _("the rows are deleted"),
    Then.FIELDS: _("the fields are emptied"),
    Then.FILES: _("the files are removed"),
    Then.NOTHING: _("it stays"),
}

SELF = "pk"


@dataclass(frozen=True)
class Rule:
    """One kind of data. ``keep`` is None for what is kept while it is in use; ``least`` and ``most`` bound a choice.

    ``rows`` maps a model to the way from it to what the rule counts by, ``fields`` a model's field likewise; models in
    ``also`` go with the rows that refer to them; ``only`` names conditions on rows of a model. A rule ``of_site`` is
    nobody's, and the same for every controller.
    """

    code: str
    name: Any
    what: Any
    why: Any
    begins: Any
    keep: Period | None
    then: tuple[Then, ...]
    basis: str
    least: Period | None = None
    most: Period | None = None
    rows: Mapping[str, str] = field(default_factory=dict)
    fields: Mapping[str, str] = field(default_factory=dict)
    also: tuple[str, ...] = ()
    only: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    of_site: bool = False

    @property
    def may_be_chosen(self) -> bool:
        """Whether a controller may choose another period, within the bounds."""
        return self.most is not None


def _by(path: str, *models: str) -> dict[str, str]:
    return dict.fromkeys(models, path)


# What hangs on a case, and on a request besides; the way to it from each.
OF_CASE = {
    **_by(
        "case",
        "cases.Note",
        "cases.ClockEvent",
        "cases.DateMove",
        "cases.Decision",
        "cases.Extension",
        "cases.Lateness",
        "cases.Reminder",
        "cases.Notice",
        "cases.Pursuit",
        "cases.CollectionRun",
        "cases.CollectedFile",
        "cases.Item",
        "cases.Candidate",
        "cases.SetAside",
        "cases.FoundIdentifier",
        "cases.FieldInCase",
        "cases.ResponsePack",
        "cases.FulfilmentTask",
        "cases.ChangePlan",
        "cases.PlannedChange",
        "cases.Forgotten",
        "cases.Correction",
        "cases.Restriction",
        "cases.Balancing",
        "cases.SecondLook",
        "cases.RecipientNotice",
    ),
    **_by("restriction__case", "cases.RestrictedPlace"),
    **_by("run__case", "cases.SourceSearch"),
    **_by("search__run__case", "cases.Inquiry"),
    **_by("inquiry__search__run__case", "cases.InquiryFile"),
    **_by("pack__case", "cases.PackFile", "cases.Delivery"),
    **_by("plan__case", "cases.PlanPart"),
    **_by("line__case", "cases.ChangeStep"),
    **_by("part__plan__case", "cases.Leftover"),
}
_OF_REQUEST = {
    "cases.SubjectRequest": SELF,
    "cases.Case": "subject_request",
    **{model: f"{path}__subject_request" for model, path in OF_CASE.items()},
    **_by(
        "subject_request",
        "cases.RequestFile",
        "cases.Letter",
        "cases.Authority",
        "cases.RequestOrigin",
        "cases.SignalDismissal",
        "identity.Verification",
        "identity.AccessToken",
    ),
    **_by("letter__subject_request", "cases.LetterFile"),
    **_by("authority__subject_request", "cases.AuthorityPicture"),
    **_by(
        "verification__subject_request",
        "identity.OneTimeCode",
        "identity.IdentityDocument",
        "identity.ExternalCheck",
        "identity.TextMessage",
        "cases.AskedQuestion",
    ),
    **_by("document__verification__subject_request", "identity.DocumentPicture"),
    **_by("check_of__verification__subject_request", "identity.ExternalEvent"),
}

# A certificate is given like an answer; it holds nothing that was collected, and stays with the case's file.
_ANSWERS = {"cases.PackFile": {"file__key__purpose": "collected"}}

COLLECTED = Rule(
    code="collected_data",
    name=_("What was collected"),
    what=_(
        "Records and files found in the source systems, how they were redacted, what a plan of change "
        "says of their values, and the answer's files."
    ),
    why=_("To explain or correct the answer while the customer can still complain about it."),
    begins=_("the case, and every complaint about it, was closed"),
    keep=days(90),
    least=days(30),
    most=years(1),
    then=(Then.KEY, Then.ROWS, Then.FIELDS, Then.FILES),
    basis="GDPR Art 5(1)(c) and (e)",
    rows={
        **_by(
            "case",
            "cases.Item",
            "cases.CollectedFile",
            "cases.Candidate",
            "cases.SetAside",
            "cases.FoundIdentifier",
        ),
        "cases.InquiryFile": "inquiry__search__run__case",
        "cases.PackFile": "pack__case",
    },
    only=_ANSWERS,
    fields={
        **_by(
            "run__case",
            "cases.SourceSearch.cursor",
            "cases.SourceSearch.matches",
            "cases.SourceSearch.followed",
        ),
        **_by(
            "case",
            "cases.ResponsePack.manifest",
            "cases.PlannedChange.wanted",
            "cases.PlannedChange.expected",
            "cases.Correction.held",
            "cases.Correction.claimed",
            "cases.Correction.wanted",
            "cases.Correction.statement",
        ),
        "cases.Inquiry.note": "search__run__case",
        "cases.ChangeStep.action": "line__case",
        "cases.Leftover.place": "part__plan__case",
    },
)
ANSWER = Rule(
    code="answer_files",
    name=_("The answer's files"),
    what=_("Letter, report and data of an answer, as they were made to be fetched or posted."),
    why=_("To make the answer available again when the customer asks soon after."),
    begins=_("nobody can fetch the answer any more"),
    keep=days(14),
    least=days(0),
    most=days(90),
    then=(Then.ROWS, Then.FILES),
    basis="GDPR Art 5(1)(c) and (e)",
    rows={"cases.PackFile": "pack"},
    only=_ANSWERS,
)
CASE_FILE = Rule(
    code="case_file",
    name=_("The case's file"),
    what=_(
        "The request in the customer's words, letters, decisions with their reasons, notes, checks of identity, "
        "the clock, which systems were searched and what was done in them."
    ),
    why=_("To show a regulator or court that the request was dealt with, as long as somebody can ask."),
    begins=_("the last case of the request was closed"),
    keep=years(3),
    least=years(1),
    most=years(6),
    then=(Then.KEY, Then.ROWS, Then.FILES),
    basis="GDPR Art 5(2), 17(3)(e)",
    rows=_OF_REQUEST,
    also=("vault.StoredFile",),
)
SUPPRESSION = Rule(
    code="suppression",
    name=_("Who must not be written to"),
    what=_("Keyed hashes of addresses and numbers of persons who objected to marketing."),
    why=_("Without them whoever objected would be imported and written to again."),
    begins="",
    keep=None,
    then=(Then.NOTHING,),
    basis="GDPR Art 21(3)",
    rows={"cases.SuppressionEntry": SELF},
)
ERASED = Rule(
    code="erased_places",
    name=_("What to erase again after a restore"),
    what=_("Keyed hashes of records that were erased, and of identifiers of the persons whose they were."),
    why=_("A backup of a source that is restored brings erased data back."),
    begins=_("it was erased; where the age of a source's backups is known, that counts instead"),
    keep=years(1),
    then=(Then.ROWS,),
    basis="GDPR Art 17(1), 32",
    rows={"cases.ErasedPlace": SELF},
)
DRILL = Rule(
    code="drill",
    name=_("Rehearsals"),
    what=_("Everything of a request that was made to rehearse, on test systems or for test persons."),
    why=_("To look into how the rehearsal went."),
    begins=_("it was made"),
    keep=days(7),
    least=days(1),
    most=days(30),
    then=(Then.KEY, Then.ROWS, Then.FILES),
    basis="GDPR Art 5(1)(c) and (e)",
    rows=_OF_REQUEST,
)
PERSON = Rule(
    code="person",
    name=_("The person"),
    what=_("Name, addresses and numbers of the person, and the keyed hashes by which they are found."),
    why=_("To work on their requests and to know them again."),
    begins=_("no file of a request names them any more"),
    keep=days(0),
    then=(Then.KEY, Then.ROWS),
    basis="GDPR Art 5(1)(e)",
    rows={
        "cases.DataSubject": SELF,
        **_by(
            "subject",
            "cases.SubjectIdentifier",
            "cases.LegalHold",
        ),
    },
)
REPRESENTATIVE = Rule(
    code="representative",
    name=_("Whoever asked for the person"),
    what=_("Name and address of a representative, and what they said of their authority."),
    why=_("To answer them, and to know by what right they asked."),
    begins=_("no file of a request names them any more"),
    keep=days(0),
    then=(Then.KEY, Then.ROWS),
    basis="GDPR Art 5(1)(e)",
    rows={"cases.Representative": SELF},
)
CONTACT = Rule(
    code="contact_note",
    name=_("Notes of plain business"),
    what=_("What somebody asked and had done within a conversation, without a case."),
    why=_("So that nobody has to wonder whether it was a request."),
    begins=_("it was noted"),
    keep=years(1),
    least=days(30),
    most=years(3),
    then=(Then.KEY, Then.ROWS),
    basis="GDPR Art 5(1)(e), 5(2)",
    rows={"cases.ContactNote": SELF},
)
DOCUMENT = Rule(
    code="identity_document",
    name=_("Pictures of identity documents"),
    what=_("The pictures, and what was read from them."),
    why=_("To judge who asks. The outcome stays with the case's file."),
    begins=_("the time is over that the brand's policy of identity gives it, 30 days at the most"),
    keep=days(0),
    then=(Then.KEY, Then.FIELDS, Then.ROWS, Then.FILES),
    basis="GDPR Art 5(1)(c), 12(6)",
    rows={"identity.DocumentPicture": "document"},
    fields={"identity.IdentityDocument.reading": SELF},
)
AUTHORITY = Rule(
    code="authority_evidence",
    name=_("Pictures of authorities"),
    what=_("Pictures of what a representative showed."),
    why=_("To judge by what right they ask. What was seen stays in words with the case's file."),
    begins=_("the time is over that the brand's policy of identity gives it, 30 days at the most"),
    keep=days(0),
    then=(Then.KEY, Then.ROWS, Then.FILES),
    basis="GDPR Art 5(1)(c), 12(2)",
    rows={"cases.AuthorityPicture": "authority"},
)
ORIGIN = Rule(
    code="origin",
    name=_("From where a request came"),
    what=_("A keyed hash of the network, the browser's language, and the country."),
    why=_("To notice one stranger asking for many people."),
    begins=_("the request was made"),
    keep=days(90),
    then=(Then.ROWS,),
    basis="GDPR Art 6(1)(f), 32",
    rows={"cases.RequestOrigin": SELF},
)
QUESTIONS = Rule(
    code="asked_questions",
    name=_("Questions from the record"),
    what=_("Which questions were put to whom; no answer."),
    why=_("So that none is put again too soon."),
    begins=_("it was asked"),
    # Longer than any policy remembers what was asked.
    keep=days(NO_LONGER + 1),
    then=(Then.ROWS,),
    basis="GDPR Art 32",
    rows={"cases.AskedQuestion": SELF},
)
CODE = Rule(
    code="one_time_codes",
    name=_("One-time codes"),
    what=_("Keyed hashes of codes that were sent and not used."),
    why=_("To say of a late code that it was one."),
    begins=_("it expired"),
    keep=days(7),
    then=(Then.ROWS,),
    basis="GDPR Art 32",
    rows={"identity.OneTimeCode": SELF},
)
TOKEN = Rule(
    code="tokens",
    name=_("Links and visits of customers"),
    what=_("Hashes of links, and of visits to the portal."),
    why=_("To say of an old link that it was one."),
    begins=_("it expired"),
    keep=days(7),
    then=(Then.ROWS,),
    basis="GDPR Art 32",
    rows={"identity.AccessToken": SELF},
)
TEXT = Rule(
    code="text_numbers",
    name=_("Numbers of text messages"),
    what=_("A keyed hash of the number; number and text are gone when the message is sent or given up."),
    why=_("To limit how often a number is written to."),
    begins=_("the message was asked for"),
    keep=days(30),
    then=(Then.FIELDS,),
    basis="GDPR Art 32",
    fields={
        "identity.TextMessage.number_hash": SELF,
        "identity.TextMessage.number": SELF,
        "identity.TextMessage.text": SELF,
    },
)
FOREIGN = Rule(
    code="unknown_messages",
    name=_("Messages of identity providers about nobody"),
    what=_("Codes and hashes of messages that belong to no check that is known here."),
    why=_("A message may come before what it is about."),
    begins=_("it was received"),
    keep=days(30),
    then=(Then.ROWS,),
    basis="GDPR Art 5(1)(e)",
    rows={"identity.ExternalEvent": SELF},
)
CHECK = Rule(
    code="source_checks",
    name=_("Trials of source systems"),
    what=_("What a trial of a connection found, the account's name among it."),
    why=_("To see since when a source has been in trouble."),
    begins=_("it was asked for"),
    keep=days(30),
    then=(Then.ROWS,),
    basis="GDPR Art 5(1)(e), 32",
    rows={"cases.SourceCheck": SELF},
)
EMERGENCY = Rule(
    code="emergencies",
    name=_("Uses of emergency access"),
    what=_("Who used it, and why."),
    why=_("So that each use can be examined."),
    begins=_("it ended"),
    keep=years(3),
    then=(Then.ROWS,),
    basis="GDPR Art 5(2), 32",
    rows={"identity.Emergency": SELF},
)
STOP = Rule(
    code="collection_stops",
    name=_("Stops of collection"),
    what=_("Who stopped all collection, and why."),
    why=_("To explain what waited."),
    begins=_("it was lifted"),
    keep=years(1),
    then=(Then.ROWS,),
    basis="GDPR Art 5(2)",
    rows={"cases.CollectionStop": SELF},
)
JOB = Rule(
    code="jobs",
    name=_("Work that was done"),
    what=_("Which work was done for which case, as ids and codes."),
    why=_("To look into what went wrong."),
    begins=_("it ended"),
    keep=days(30),
    then=(Then.ROWS,),
    basis="GDPR Art 5(1)(e)",
    rows={"jobs.Job": SELF},
)
ATTEMPT = Rule(
    code="attempts",
    name=_("Tries of visitors"),
    what=_("Keyed hashes of networks, addresses and what was claimed."),
    why=_("So that nobody can guess for ever."),
    begins=_("it was made"),
    keep=days(1),
    then=(Then.ROWS,),
    basis="GDPR Art 32",
    rows={"identity.Attempt": SELF},
    of_site=True,
)
SESSION = Rule(
    code="sessions",
    name=_("Sessions of staff"),
    what=_("Who is signed in, from where and since when."),
    why=_("To keep somebody signed in, and to show them where they are."),
    begins=_("it expired"),
    keep=days(0),
    then=(Then.ROWS,),
    basis="GDPR Art 32",
    rows={"identity.Session": SELF},
    of_site=True,
)
INVITATION = Rule(
    code="invitations",
    name=_("Invitations of staff"),
    what=_("Hashes of links by which staff choose a password."),
    why=_("To say of an old link that it was one."),
    begins=_("it expired"),
    keep=days(30),
    then=(Then.ROWS,),
    basis="GDPR Art 5(1)(e)",
    rows={"identity.Invitation": SELF},
    of_site=True,
)
MAILBOX = Rule(
    code="outbox",
    name=_("The demonstration's outbox"),
    what=_("Mails and text messages of a demonstration, which are kept as files instead of being sent."),
    why=_("To read them on the outbox page."),
    begins=_("it was written"),
    keep=days(30),
    then=(Then.FILES,),
    basis="GDPR Art 5(1)(e)",
    of_site=True,
)
STAFF_ACCESS = Rule(
    code="staff_access",
    name=_("How staff who left signed in"),
    what=_("Authenticators, passkeys, recovery codes, links with single sign-on, calendars."),
    why=_("In case the account is opened again soon."),
    begins=_("the account was found inactive"),
    keep=days(30),
    then=(Then.ROWS,),
    basis="GDPR Art 5(1)(e)",
    rows=_by(
        "user",
        "identity.TotpDevice",
        "identity.RecoveryCode",
        "identity.CalendarFeed",
        "identity.SignOnIdentity",
        "django_otp_webauthn.WebAuthnCredential",
        "django_otp_webauthn.WebAuthnUserHandle",
    )
    | {"django_otp_webauthn.WebAuthnAttestation": "credential__user"},
    of_site=True,
)
STAFF = Rule(
    code="staff",
    name=_("Staff who left"),
    what=_("Name and e-mail address of a member of staff."),
    why=_("To say who decided, as long as a case's file can name them."),
    begins=_("the account was found inactive"),
    keep=years(7),
    then=(Then.FIELDS,),
    basis="GDPR Art 5(1)(e), 5(2)",
    fields={
        "identity.User.email": SELF,
        "identity.User.full_name": SELF,
        "identity.User.password": SELF,
    },
    of_site=True,
)
TRAIL = Rule(
    code="trail",
    name=_("The trail"),
    what=_(
        "Acts as ids and codes. Whom an id stands for goes with the case's file, the person or the account."
    ),
    why=_("To prove who did what: a chain that is cut proves nothing."),
    begins="",
    keep=None,
    then=(Then.NOTHING,),
    basis="GDPR Art 5(2)",
    rows={"audit.AuditEvent": SELF},
    also=("audit.AuditHead",),
    of_site=True,
)
SETTINGS = Rule(
    code="settings",
    name=_("Contacts and reasons in the settings"),
    what=_(
        "Addresses of the brand and of those who look after source systems, accounts at sources, and reasons "
        "that staff gave for a setting."
    ),
    why=_("To run the desk. Whoever is named is replaced in the settings."),
    begins="",
    keep=None,
    then=(Then.NOTHING,),
    basis="GDPR Art 6(1)(f)",
    rows=_by(
        SELF,
        "identity.Controller",
        "cases.SourceSystem",
        "cases.FieldChoice",
        "cases.KeepingRule",
        "cases.Recipient",
        "cases.SuppressionToken",
        "identity.CustomerLogin",
        "identity.IdentityProvider",
        "identity.SmsGateway",
        "identity.SignOnProvider",
    ),
    of_site=True,
)

RULES = (
    COLLECTED,
    ANSWER,
    CASE_FILE,
    PERSON,
    REPRESENTATIVE,
    DOCUMENT,
    AUTHORITY,
    CONTACT,
    ORIGIN,
    QUESTIONS,
    CODE,
    TOKEN,
    TEXT,
    FOREIGN,
    ERASED,
    SUPPRESSION,
    DRILL,
    EMERGENCY,
    STOP,
    CHECK,
    JOB,
    ATTEMPT,
    MAILBOX,
    SESSION,
    INVITATION,
    STAFF_ACCESS,
    STAFF,
    TRAIL,
    SETTINGS,
)
BY_CODE: Mapping[str, Rule] = {rule.code: rule for rule in RULES}

# Models, or single fields, that could hold personal data by their type and do not.
HOLDS_NONE: Mapping[str, str] = {
    "vault.VaultKey": "a random key, wrapped; it is emptied when it is destroyed",
    "identity.IdentityPolicy": "rules as codes",
    "identity.Team": "the name of a team, chosen by an operator",
    "identity.Membership": "permissions as codes",
    "identity.SignOnGroup": "names of groups and permissions",
    "identity.User.language": "a code",
    "cases.Instruction": "rules as codes",
    "cases.RetentionPolicy": "periods, and the law that they follow from",
    "cases.Recomputation": "a digest of the law",
    "cases.UnknownField": "names of fields in a source's schema",
    "auth.Permission": "Django's own names of permissions, which the desk does not use",
    "auth.Group": "Django's own groups, which the desk does not use",
    "contenttypes.ContentType": "names of models",
    "sessions.Session": "stays empty: sessions are rows of identity.Session",
}
