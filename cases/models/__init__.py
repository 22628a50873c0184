"""The models.

Reading order: data_subject, subject_request, authority, case, clock, collection, disclosure, fulfilment,
change, correction, inquiry, correspondence, instruction, extension, lateness, legal_hold, other_rights, reminder,
pursuit, signal, retention.
"""

from cases.models.asked import AskedQuestion
from cases.models.authority import Authority, AuthorityPicture, AuthorityState
from cases.models.case import Case, Note
from cases.models.change import (
    ChangePlan,
    ChangeStep,
    KeepingRule,
    Leftover,
    LineState,
    PartStage,
    PlannedChange,
    PlanPart,
    PlanStage,
    Settled,
    StepState,
    Treatment,
)
from cases.models.clock import ClockEvent, DateMove, Recomputation
from cases.models.collected_file import CollectedFile, FileState
from cases.models.collection import (
    CheckStage,
    CollectionRun,
    CollectionStop,
    HeldFor,
    Item,
    ItemDecision,
    RunState,
    SearchState,
    SourceCheck,
    SourceSearch,
    SourceSystem,
)
from cases.models.contact import ContactNote
from cases.models.correction import Correction, CorrectionOutcome, Found
from cases.models.correspondence import Letter, LetterFile, LetterState
from cases.models.data_subject import DataSubject, Representative, SubjectIdentifier
from cases.models.disclosure import Decision, Delivery, PackFile, PackState, ResponsePack, Verdict
from cases.models.doubt import Belongs, Candidate, MatchDoubt, RecordDoubt, SetAside
from cases.models.drift import FieldChoice, FieldClass, FieldInCase, UnknownField
from cases.models.extension import LIVING, Extension, ExtensionState
from cases.models.found_identifier import FoundIdentifier
from cases.models.fulfilment import FulfilmentTask, TaskState
from cases.models.inquiry import Inquiry, InquiryFile, InquiryState
from cases.models.instruction import Instruction
from cases.models.lateness import Lateness
from cases.models.legal_hold import LegalHold
from cases.models.other_rights import (
    Balancing,
    LookResult,
    PlaceState,
    RestrictedPlace,
    Restriction,
    SecondLook,
)
from cases.models.pursuit import Pursuit, PursuitKind
from cases.models.recipient import (
    AnswerCode,
    FindsBy,
    NoticeState,
    Recipient,
    RecipientKind,
    RecipientNotice,
    RecipientRoute,
    Told,
)
from cases.models.reerasure import PLACE, ErasedPlace
from cases.models.reminder import MailState, Notice, Reminder, ReminderKind
from cases.models.retention import Forgotten, RetentionPolicy
from cases.models.signal import RequestOrigin, SignalDismissal
from cases.models.subject_request import RequestFile, SubjectRequest
from cases.models.suppression import (
    SuppressionEntry,
    SuppressionKind,
    SuppressionOrigin,
    SuppressionPurpose,
    SuppressionToken,
)

__all__ = [
    "LIVING",
    "PLACE",
    "AnswerCode",
    "AskedQuestion",
    "Authority",
    "AuthorityPicture",
    "AuthorityState",
    "Balancing",
    "Belongs",
    "Candidate",
    "Case",
    "ChangePlan",
    "ChangeStep",
    "CheckStage",
    "ClockEvent",
    "CollectedFile",
    "CollectionRun",
    "CollectionStop",
    "ContactNote",
    "Correction",
    "CorrectionOutcome",
    "DataSubject",
    "DateMove",
    "Decision",
    "Delivery",
    "ErasedPlace",
    "Extension",
    "ExtensionState",
    "FieldChoice",
    "FieldClass",
    "FieldInCase",
    "FileState",
    "FindsBy",
    "Forgotten",
    "Found",
    "FoundIdentifier",
    "FulfilmentTask",
    "HeldFor",
    "Inquiry",
    "InquiryFile",
    "InquiryState",
    "Instruction",
    "Item",
    "ItemDecision",
    "KeepingRule",
    "Lateness",
    "Leftover",
    "LegalHold",
    "Letter",
    "LetterFile",
    "LetterState",
    "LineState",
    "LookResult",
    "MailState",
    "MatchDoubt",
    "Note",
    "Notice",
    "NoticeState",
    "PackFile",
    "PackState",
    "PartStage",
    "PlaceState",
    "PlanPart",
    "PlanStage",
    "PlannedChange",
    "Pursuit",
    "PursuitKind",
    "Recipient",
    "RecipientKind",
    "RecipientNotice",
    "RecipientRoute",
    "Recomputation",
    "RecordDoubt",
    "Reminder",
    "ReminderKind",
    "Representative",
    "RequestFile",
    "RequestOrigin",
    "ResponsePack",
    "RestrictedPlace",
    "Restriction",
    "RetentionPolicy",
    "RunState",
    "SearchState",
    "SecondLook",
    "SetAside",
    "Settled",
    "SignalDismissal",
    "SourceCheck",
    "SourceSearch",
    "SourceSystem",
    "StepState",
    "SubjectIdentifier",
    "SubjectRequest",
    "SuppressionEntry",
    "SuppressionKind",
    "SuppressionOrigin",
    "SuppressionPurpose",
    "SuppressionToken",
    "TaskState",
    "Told",
    "Treatment",
    "UnknownField",
    "Verdict",
]
