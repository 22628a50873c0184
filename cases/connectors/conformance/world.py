"""What a connector's author tells the kit of a source: who is in it, and how it can be made to misbehave."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias

from cases.connectors.base import EMAIL, JSON
from cases.connectors.changes import Verb

# How long, in seconds, a source under LIMIT_WITH_WAIT asks to be left alone.
WAIT = 7

MIB = 1024 * 1024


class Trouble(StrEnum):
    """A way in which real systems misbehave. The source stays so from ``misbehave`` to ``behave``.

    FILTER_IGNORED: the source passes over the filter of a search, and returns everybody.
    LIMIT_WITH_WAIT: each call is answered by 429 and Retry-After: 7.
    LIMIT_WITHOUT_WAIT: each call is answered by 429 alone.
    LIMIT_AS_FORBIDDEN: each call is answered as that vendor says "limit" by another name, such as 403 with a code.
    ERROR_IN_SUCCESS: each call is answered by 200, with an error inside.
    KEY_REVOKED: the key that served so far is refused.
    COMMIT_THEN_FAIL: the next writing call is carried out, and answered by 500 or a broken connection.
    RESIDUE_LEFT: a deletion is confirmed, and reading by id finds nothing; yet a search still does.
    CORRECTION_IGNORED: a correction is confirmed, and not made.
    """

    FILTER_IGNORED = "filter_ignored"
    LIMIT_WITH_WAIT = "limit_with_wait"
    LIMIT_WITHOUT_WAIT = "limit_without_wait"
    LIMIT_AS_FORBIDDEN = "limit_as_forbidden"
    ERROR_IN_SUCCESS = "error_in_success"
    KEY_REVOKED = "key_revoked"
    COMMIT_THEN_FAIL = "commit_then_fail"
    RESIDUE_LEFT = "residue_left"
    CORRECTION_IGNORED = "correction_ignored"


class Aspect(StrEnum):
    """What a source may not have, beside troubles: telephone numbers, an archive, files, refusals."""

    PHONE = "phone"
    DUPLICATE = "duplicate"
    ARCHIVE = "archive"
    CHANGE_WHILE_PAGING = "change_while_paging"
    MANY_RECORDS = "many_records"
    LARGE_FILE = "large_file"
    SECRET = "secret"  # noqa: S105 - the name of an aspect.
    REFUSAL = "refusal"


# Each with the reason why it is not claimed, as a sentence for whoever reads the report.
NotClaimed: TypeAlias = Mapping[Trouble | Aspect, str]


@dataclass(frozen=True)
class Change:
    """A change that can be tried on one of the subject's records.

    The record is the only one of this ``type`` whose data hold everything in ``where``. ``values`` are what its
    fields are to hold afterwards, for the verbs that set any.
    """

    verb: Verb
    type: str
    where: Mapping[str, JSON] = field(default_factory=dict)
    values: Mapping[str, JSON] = field(default_factory=dict)


@dataclass(frozen=True)
class World:
    """A source with people in it: invented ones, of whom nothing may stand anywhere else.

    ``subject`` is the identifier, of the kind ``kind``, of the person searched for; ``spellings`` are other ways to
    write it, ``near_misses`` look like it and are nobody's. ``phone`` and ``phone_spellings`` are the same person's
    telephone. ``stranger`` is somebody else's identifier, ``stranger_marks`` texts that stand in their records only.

    ``records`` counts the subject's records by type, with those of a second entry for the same person (in which stand
    the ``duplicate_marks``) and archived ones (``archived_marks``). ``third_parties`` names the types whose records are
    about others, ``unknown_fields`` the fields that the source holds and the connector does not describe. ``files``
    gives the SHA-256, in hexadecimal digits, of each of the subject's files by its name.

    ``confidential`` are secrets and personal data that no message, reference, repr or log may show.

    ``changes`` can be carried out one after another, the first of them by a single writing call; ``refused`` is one
    that the source will not do.
    """

    subject: str
    spellings: tuple[str, ...]
    near_misses: tuple[str, ...]
    stranger: str
    stranger_marks: tuple[str, ...]
    confidential: tuple[str, ...]
    records: Mapping[str, int]
    kind: str = EMAIL
    phone: str = ""
    phone_spellings: tuple[str, ...] = ()
    duplicate_marks: tuple[str, ...] = ()
    archived_marks: tuple[str, ...] = ()
    third_parties: tuple[str, ...] = ()
    unknown_fields: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    changes: tuple[Change, ...] = ()
    refused: Change | None = None
