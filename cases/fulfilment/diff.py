"""Where the records hold what somebody says is wrong. Pure: claims and one record go in, places come out.

A claim finds a field because the person pointed at it, because it holds the value that is said to be wrong, or
because it is the detail that was named. Where a value was found, a mere name leads nowhere else.
"""

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from functools import cache
from importlib.resources import files

from cases.connectors.base import JSON, FieldForm
from cases.fulfilment.validation import (
    Around,
    Kind,
    Unfit,
    country_of,
    folded,
    is_same,
    is_under,
    kind_of,
    validated,
)

# What is shorter is found by chance.
SHORTEST_VALUE = 3
SHORTEST_PASSAGE = 6
UNKNOWN = FieldForm()


class How(StrEnum):
    """By what a claim led to a field; in this order the first holds."""

    POINTED = "pointed"
    VALUE = "value"
    NAMED = "named"
    WITHIN = "within"


@dataclass(frozen=True, slots=True)
class Claim:
    """What is said to be wrong and to be right. ``item`` and ``name`` say at which field the person pointed."""

    number: int
    detail: str = field(repr=False)
    wrong: str = field(repr=False)
    right: str = field(repr=False)
    item: str = ""
    name: str = ""

    @classmethod
    def of(cls, claims: Sequence[Mapping[str, str]]) -> "list[Claim]":
        """The claims of a request, as they are kept."""
        return [
            cls(
                number,
                one.get("field", ""),
                one.get("wrong", ""),
                one.get("right", ""),
                one.get("item", ""),
                one.get("name", ""),
            )
            for number, one in enumerate(claims)
        ]


@dataclass(frozen=True, slots=True)
class Record:
    """One record: its data, and what its fields look like."""

    item: str
    data: Mapping[str, JSON] = field(repr=False)
    forms: Mapping[str, FieldForm] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Place:
    """A field of a record that a claim touches: what it holds, and what it should hold by the claim."""

    claim: int
    item: str
    name: str
    how: How
    held: JSON = field(repr=False)
    claimed: JSON = field(repr=False)


def places(claims: Sequence[Claim], record: Record, country: str, today: date) -> list[Place]:
    """What the claims touch in one record; a field may be touched by several."""
    return list(_candidates(claims, record, Around(country_of(record.data, record.forms, country), today)))


def settled(found: Iterable[Place]) -> list[Place]:
    """Each field once, by the strongest reason; a mere name counts only where its claim's value was found nowhere."""
    every = list(found)
    sure = {place.claim for place in every if place.how in {How.POINTED, How.VALUE}}
    kept: dict[tuple[str, str], Place] = {}
    for place in every:
        if place.how is How.NAMED and place.claim in sure:
            continue
        before = kept.setdefault((place.item, place.name), place)
        if _rank(place) < _rank(before):
            kept[place.item, place.name] = place
    return list(kept.values())


def _rank(place: Place) -> int:
    return list(How).index(place.how)


def _candidates(claims: Sequence[Claim], record: Record, around: Around) -> Iterator[Place]:
    for name, held in record.data.items():
        form = record.forms.get(name, UNKNOWN)
        if form.third_party or is_of_the_system(name, form):
            continue
        for claim in claims:
            how = _led_by(claim, record.item, name, form, held, around)
            if how is not None:
                claimed = _claimed(claim, how, name, form, held, around)
                yield Place(claim.number, record.item, name, how, held, claimed)


def is_of_the_system(name: str, form: FieldForm) -> bool:
    """Whether a field is how the source works, and nothing that is said of a person."""
    ours = [is_under(one, "system") or one == "user.unique_id" for one in form.categories]
    return all(ours) if ours else name.lower() in {"id", "version"}


def _led_by(claim: Claim, item: str, name: str, form: FieldForm, held: JSON, around: Around) -> How | None:
    if claim.item == item and claim.name == name:
        return How.POINTED
    is_named = is_meant(claim.detail, name, form)
    if (is_named or len(folded(claim.wrong)) >= SHORTEST_VALUE) and is_same(
        name, form, held, claim.wrong, around
    ):
        return How.VALUE
    if is_named and not claim.item and held is not None:
        return How.NAMED
    # The parts of an address are no words about anybody.
    is_text = kind_of(name, form, held) is Kind.TEXT
    return How.WITHIN if is_text and _stands_within(claim.wrong, held) else None


def _stands_within(wrong: str, held: JSON) -> bool:
    """Whether a longer text holds it as words of their own."""
    plain = folded(wrong)
    if len(plain) < SHORTEST_PASSAGE or not isinstance(held, str):
        return False
    return re.search(rf"(?<!\w){re.escape(plain)}(?!\w)", folded(held)) is not None


def _claimed(claim: Claim, how: How, name: str, form: FieldForm, held: JSON, around: Around) -> JSON:
    """What the field should hold, as it writes such values; as typed where it cannot hold that."""
    if how is How.WITHIN and isinstance(held, str):
        return re.sub(
            re.escape(claim.wrong.strip()), lambda _found: claim.right.strip(), held, flags=re.IGNORECASE
        )
    try:
        return validated(name, form, held, claim.right, around)
    except Unfit:
        return claim.right.strip()


# --- The words for details --------------------------------------------------------------------------------------


@cache
def _words() -> tuple[tuple[str, str], ...]:
    """Each word with its category, the longest first."""
    read: dict[str, list[str]] = tomllib.loads(
        files("cases.fulfilment").joinpath("details.toml").read_text(encoding="utf-8")
    )
    pairs = [(word, category) for category, words in read.items() for word in words]
    return tuple(sorted(pairs, key=lambda pair: -len(pair[0])))


def is_meant(detail: str, name: str, form: FieldForm) -> bool:
    """Whether somebody who names a detail may mean this field: by its own name, or by its category."""
    said = folded(detail.replace("_", " "))
    if not said:
        return False
    if said == folded(name.replace("_", " ")):
        return True
    category = _category(said)
    return bool(category) and any(is_under(one, category) for one in form.categories)


def _category(said: str) -> str:
    for word, category in _words():
        if re.search(rf"(?<!\w){re.escape(word)}(?!\w)", said):
            return category
    return ""


# What a person may be shown of what was found before anybody has looked at it: plain facts about themselves, in one
# short value. Texts may speak of others, and what serves to recognise somebody is never shown.
SHOWN = (
    "user.name",
    "user.contact",
    "user.demographic.date_of_birth",
    "user.demographic.language",
    "user.demographic.gender",
)
LONGEST_SHOWN = 200


def may_be_shown(name: str, form: FieldForm, held: JSON) -> bool:
    """Whether the person may be shown a field of their own record to point at it."""
    if form.third_party or form.askable:
        return False
    if not form.categories or not all(any(is_under(one, top) for top in SHOWN) for one in form.categories):
        return False
    if kind_of(name, form, held) is Kind.NESTED or held is None:
        return False
    return 0 < len(str(held).strip()) <= LONGEST_SHOWN
