"""The models.

Reading order: data_subject, subject_request, case, clock, collection, disclosure, fulfilment, correspondence,
instruction, reminder.
"""

from cases.models.attempt import Attempt
from cases.models.case import Case, Note
from cases.models.clock import ClockEvent, DateMove, Recomputation
from cases.models.collection import (
    CollectionRun,
    Item,
    ItemDecision,
    RunState,
    SearchState,
    SourceSearch,
    SourceSystem,
)
from cases.models.contact import ContactNote
from cases.models.correspondence import Letter, LetterFile, LetterState
from cases.models.data_subject import DataSubject, Representative, SubjectIdentifier
from cases.models.disclosure import Decision, Delivery, PackFile, PackState, ResponsePack, Verdict
from cases.models.fulfilment import FulfilmentTask, TaskState
from cases.models.instruction import Instruction
from cases.models.reminder import MailState, Notice, Reminder, ReminderKind
from cases.models.subject_request import RequestFile, SubjectRequest

__all__ = [
    "Attempt",
    "Case",
    "ClockEvent",
    "CollectionRun",
    "ContactNote",
    "DataSubject",
    "DateMove",
    "Decision",
    "Delivery",
    "FulfilmentTask",
    "Instruction",
    "Item",
    "ItemDecision",
    "Letter",
    "LetterFile",
    "LetterState",
    "MailState",
    "Note",
    "Notice",
    "PackFile",
    "PackState",
    "Reminder",
    "ReminderKind",
    "Representative",
    "RequestFile",
    "ResponsePack",
    "RunState",
    "SearchState",
    "SourceSearch",
    "SourceSystem",
    "SubjectIdentifier",
    "SubjectRequest",
    "TaskState",
    "Verdict",
]
