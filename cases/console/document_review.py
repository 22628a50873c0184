"""A document beside the record, in words: the fields of its zone, their checks, what agrees. It decides nothing."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cases.models import DataSubject
from cases.workflow.document_words import Words
from identity.documents import mrz, names
from identity.documents.layout import Part
from identity.documents.mrz import Fault, Zone
from identity.documents.names import Comparison, Reason, Verdict
from identity.documents.quality import Fault as Flaw
from identity.models import IdentityDocument


@dataclass(frozen=True)
class Row:
    """One line: what the document says, how it stands, and a remark. ``tone`` is a badge's."""

    label: Words
    value: str
    tone: str
    badge: Words
    remark: str = ""


@dataclass(frozen=True)
class Beside:
    """One thing of the document beside the same of the record."""

    label: Words
    document: str
    record: str
    tone: str
    badge: Words
    remarks: tuple[str, ...]


@dataclass(frozen=True)
class Reading:
    """The zone as far as it was read."""

    text: str
    by_machine: bool
    zone: Zone | None
    rows: tuple[Row, ...] = ()


def reading_of(document: IdentityDocument, today: date) -> Reading:
    """What was read, by a machine or a person. A person's typing is not corrected."""
    kept: Mapping[str, Any] = document.reading or {} if document.destroyed_at is None else {}
    text, by_machine = str(kept.get("text", "")), kept.get("by") == "machine"
    zone = mrz.find(text, today, correct=by_machine) if text else None
    return Reading(text, by_machine, zone, tuple(_rows(zone, today)) if zone else ())


# -- the zone ----------------------------------------------------------------------------------------

_LABELS: Mapping[Part, Words] = {
    Part.CODE: gettext_lazy("Kind of document"),
    Part.ISSUER: gettext_lazy("Issued by"),
    Part.NAMES: gettext_lazy("Name"),
    Part.NUMBER: gettext_lazy("Number"),
    Part.NATIONALITY: gettext_lazy("Nationality"),
    Part.BIRTH: gettext_lazy("Date of birth"),
    Part.SEX: gettext_lazy("Sex"),
    Part.EXPIRY: gettext_lazy("Valid until"),
    Part.OPTIONAL: gettext_lazy("Optional data"),
    Part.COMPOSITE: gettext_lazy("Check digit of the whole"),
}
_FAULTS: Mapping[Fault, Words] = {
    Fault.CHECK_DIGIT: gettext_lazy("the check digit does not fit"),
    Fault.CHARACTER: gettext_lazy("a sign that cannot stand here"),
    Fault.DATE: gettext_lazy("no such date"),
    Fault.STATE: gettext_lazy("no such state"),
    Fault.MISSING: gettext_lazy("missing"),
}


def _rows(zone: Zone, today: date) -> list[Row]:
    values = {
        Part.ISSUER: zone.issuer,
        Part.NAMES: f"{zone.surname}, {zone.given_names}".strip(", "),
        Part.NUMBER: zone.number,
        Part.NATIONALITY: zone.nationality,
        Part.BIRTH: str(zone.born or ""),
        Part.SEX: zone.sex,
        Part.EXPIRY: zone.expires_on.isoformat() if zone.expires_on else "",
        Part.OPTIONAL: zone.optional,
        Part.COMPOSITE: "",
    }
    return [_row(zone, part, value, today) for part, value in values.items() if _is_shown(zone, part, value)]


def _is_shown(zone: Zone, part: Part, value: str) -> bool:
    return bool(value or zone.problem_of(part) or part == Part.COMPOSITE)


def _row(zone: Zone, part: Part, value: str, today: date) -> Row:
    fault = zone.problem_of(part)
    corrected = [one for one in zone.corrections if one.part == part]
    if fault is not None:
        return Row(_LABELS[part], value, "danger", _FAULTS[fault])
    if part == Part.EXPIRY and zone.expired_on(today):
        return Row(_LABELS[part], value, "danger", _("expired"))
    if part in (Part.ISSUER, Part.NATIONALITY) and value == "UTO":
        return Row(_LABELS[part], value, "danger", _("Utopia: a specimen, no state"))
    if corrected:
        remark = ", ".join(
            _("{read} taken for {meant}").format(read=one.read, meant=one.taken_for) for one in corrected
        )
        return Row(_LABELS[part], value, "warning", _("corrected by its check digit"), remark)
    return Row(_LABELS[part], value, "success", _("fits") if part not in _UNCHECKED else _("read"))


_UNCHECKED = frozenset({Part.CODE, Part.ISSUER, Part.NAMES, Part.NATIONALITY, Part.SEX})


# -- beside the record -------------------------------------------------------------------------------

_VERDICTS: Mapping[Verdict, tuple[str, Words]] = {
    Verdict.SAME: ("success", gettext_lazy("the same")),
    Verdict.COMPATIBLE: ("warning", gettext_lazy("can be the same")),
    Verdict.DIFFERENT: ("danger", gettext_lazy("different")),
    Verdict.UNKNOWN: ("neutral", gettext_lazy("cannot be compared")),
}
_REASONS: Mapping[Reason, Words] = {
    Reason.ORDER: gettext_lazy("The names stand in another order."),
    Reason.SPELLING: gettext_lazy(
        "Spelt in another way, as umlauts, accents or another script are: {words}."
    ),
    Reason.SPACING: gettext_lazy("The same letters, written together or apart."),
    Reason.INITIAL: gettext_lazy("Only an initial stands for {words}."),
    Reason.CUT: gettext_lazy("The document had no room for all of {words}."),
    Reason.PARTICLE: gettext_lazy("One of them leaves out {words}."),
    Reason.MORE_GIVEN: gettext_lazy("The document has more given names: {words}."),
    Reason.MORE_SURNAMES: gettext_lazy("The document has more surnames: {words}."),
    Reason.ONLY_IN_RECORD: gettext_lazy("Only the record has {words}."),
    Reason.OTHER_SURNAME: gettext_lazy(
        "The record knows no surname {words}. Names change by marriage; ask for a proof."
    ),
    Reason.OTHER_GIVEN: gettext_lazy("The record knows no given name {words}."),
    Reason.NOTHING_TO_COMPARE: gettext_lazy("One of the two is not known."),
    Reason.PARTLY_KNOWN: gettext_lazy("The document knows the date in part only."),
    Reason.DAY_AND_MONTH: gettext_lazy("Day and month are swapped; one of the two was typed wrongly."),
    Reason.ONE_DIGIT: gettext_lazy("One digit differs; one of the two may be mistyped."),
    Reason.OTHER_DATE: gettext_lazy("Another date."),
}


def beside(zone: Zone | None, subject: DataSubject) -> list[Beside]:
    """Name and date of birth of both, with a verdict in words."""
    surname, given = (zone.surname, zone.given_names) if zone else ("", "")
    is_cut = zone.names_cut if zone else False
    born = zone.born if zone else None
    return [
        _beside(
            _LABELS[Part.NAMES],
            f"{surname}, {given}".strip(", "),
            subject.name,
            names.compare_names(subject.name, surname, given, is_cut=is_cut),
        ),
        _beside(
            _LABELS[Part.BIRTH],
            str(born or ""),
            subject.birth_date,
            names.compare_births(subject.birth_date, born),
        ),
    ]


def _beside(label: Words, document: str, record: str, found: Comparison) -> Beside:
    tone, badge = _VERDICTS[found.verdict]
    remarks = tuple(
        str(_REASONS[remark.reason]).format(words=", ".join(remark.words)) for remark in found.remarks
    )
    return Beside(label, document, record, tone, badge, remarks)


# -- pictures ----------------------------------------------------------------------------------------

_FLAWS: Mapping[str, Words] = {
    Flaw.TOO_SMALL: gettext_lazy("too small"),
    Flaw.DARK: gettext_lazy("too dark"),
    Flaw.FLAT: gettext_lazy("too pale"),
    Flaw.BLURRED: gettext_lazy("blurred"),
    Flaw.GLARE: gettext_lazy("a reflection"),
    Flaw.SLANTING: gettext_lazy("askew"),
    Flaw.CROPPED: gettext_lazy("the zone is cut off"),
}


def flaws(quality: Mapping[str, Any]) -> list[str]:
    """What a program held against a picture that was taken in the end."""
    return [str(_FLAWS[code]) for code in quality.get("faults", []) if code in _FLAWS]
