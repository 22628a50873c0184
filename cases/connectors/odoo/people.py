"""Finds a person in an Odoo: partners that bear an identifier, and records that bear an address without a partner."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from email.utils import getaddresses
from typing import Any, Final, cast

from cases.connectors.base import (
    EMAIL,
    EXTERNAL_ID,
    JSON,
    PHONE,
    Confidence,
    ContractBroken,
    Identifier,
    Match,
    phone_digits,
)
from cases.connectors.odoo.client import Domain, Odoo, Row, any_of, like
from cases.connectors.odoo.schema import MESSAGE, PARTNER, Model, Schema

KINDS: Final = frozenset({EMAIL, PHONE, EXTERNAL_ID})
# Contacts under a person that are addresses of theirs, rather than other people.
ADDRESS_KINDS: Final = ("delivery", "invoice", "other", "private")
PERSON_FIELDS = ("name", "email", "phone", "ref", "is_company", "parent_id", "type", "active", "display_name")
# So many digits at the end of a number are without the country's code and the zero before an area.
NATIONAL_DIGITS: Final = 8
MOST_MENTIONS: Final = 20
MOST_READ: Final = 500
_MENTION_FIELDS: Final = ("subject", "date", "model", "body")
MOST_PARTNERS: Final = 200


def addresses(text: object) -> tuple[str, ...]:
    """Return the plain addresses that a field holds, in lower case; names beside them are left out."""
    if not isinstance(text, str):
        return ()
    found = getaddresses([text.replace(";", ",")])
    return tuple(dict.fromkeys(plain_address(one) for _name, one in found if "@" in one))


def plain_address(value: str) -> str:
    return value.strip().casefold()


@dataclass(frozen=True)
class Person:
    """Whom to collect: partners by id, those of them that are mere addresses, and e-mail addresses.

    ``single`` are records, by model, of which somebody said that they are the person's.
    """

    partners: frozenset[int] = frozenset()
    children: frozenset[int] = frozenset()
    emails: frozenset[str] = field(default=frozenset(), repr=False)
    single: Mapping[str, frozenset[int]] = field(default_factory=dict)

    @property
    def ids(self) -> list[int]:
        """All partners that stand for the person."""
        return sorted(self.partners | self.children)

    @classmethod
    def of(cls, matches: Sequence[Match]) -> Person:
        """Read what ``find`` wrote. Raises ContractBroken for anything else."""
        single: dict[str, set[int]] = {}
        partners, children, emails = set[int](), set[int](), set[str]()
        try:
            for match in matches:
                chosen = cast(Mapping[str, Any], match.selector)
                partners |= {int(one) for one in chosen.get("partners", ())}
                children |= {int(one) for one in chosen.get("children", ())}
                emails |= {str(one) for one in chosen.get("emails", ())}
                for one in chosen.get("records", ()):
                    single.setdefault(match.type, set()).add(int(one))
        except (TypeError, ValueError):
            raise ContractBroken(what="a match that was kept from an earlier step") from None
        held = {model: frozenset(ids) for model, ids in single.items()}
        return cls(frozenset(partners), frozenset(children), frozenset(emails), held)


class Finder:
    """One search for one person."""

    def __init__(self, odoo: Odoo, schema: Schema, wanted: Sequence[Identifier]) -> None:
        self._odoo = odoo
        self._schema = schema
        self._emails = {plain_address(one.value) for one in wanted if one.kind == EMAIL}
        self._phones = {phone_digits(one.value) for one in wanted if one.kind == PHONE}
        self._numbers = {one.value.strip() for one in wanted if one.kind == EXTERNAL_ID}

    def find(self) -> list[Match]:
        """Return partners first, then models in which the address stands by itself."""
        return [*self._partners(), *self._bare()]

    def holds(self) -> Mapping[str, bool]:
        """Say of each kind whether all identifiers of that kind are on file with somebody."""
        rows = self._rows()
        emails = set().union(*(addresses(row["email"]) for row in rows)) if rows else set()
        missing = {one for one in self._emails - emails if not self._is_anywhere(one)}
        phones = {
            number for number in self._phones if any(_same_number(row["phone"], number) for row in rows)
        }
        numbers = {row["ref"] for row in rows}
        answers = {
            EMAIL: (self._emails, not missing),
            PHONE: (self._phones, phones == self._phones),
            EXTERNAL_ID: (self._numbers, self._numbers <= numbers),
        }
        return {kind: held for kind, (asked, held) in answers.items() if asked}

    def _is_anywhere(self, email: str) -> bool:
        models = (model for model in self._schema.models.values() if model.emails and model.name != PARTNER)
        return any(self._bearing(model, {email}, limit=1) for model in models)

    # -- partners ----------------------------------------------------------------------------------------------

    def _partners(self) -> list[Match]:
        return [match for row in self._rows() if (match := self._match(row))]

    def _rows(self) -> list[Row]:
        asked: list[Domain] = [[["email", "ilike", like(one)]] for one in sorted(self._emails)]
        asked += [[["phone_mobile_search", "ilike", one[-NATIONAL_DIGITS:]]] for one in sorted(self._phones)]
        asked += [[["ref", "=", one]] for one in sorted(self._numbers)]
        return self._odoo.rows(PARTNER, any_of(asked), PERSON_FIELDS, limit=MOST_PARTNERS) if asked else []

    def _match(self, row: Row) -> Match | None:
        """Compare by ourselves what the filter found; None where it only looks alike."""
        held = addresses(row["email"])
        own = [name for name, yes in self._agreements(row, held).items() if yes]
        is_national = not own and any(_same_number(row["phone"], one) for one in self._phones)
        if not own and not is_national:
            return None
        return Match(
            ref=f"{PARTNER}/{row['id']}",
            type=PARTNER,
            matched_on=tuple(own) or (PHONE,),
            confidence=self._confidence(row, held, own),
            selector={"partners": [row["id"]], "children": self._children(row, held), "emails": _own(held)},
            summary={name: row[name] or None for name in ("name", "email", "phone", "is_company")},
            reveals=tuple(_revealed(row, held)),
        )

    def _agreements(self, row: Row, held: Sequence[str]) -> dict[str, bool]:
        return {
            EMAIL: bool(self._emails & set(held)),
            PHONE: phone_digits(row["phone"] or "") in self._phones,
            EXTERNAL_ID: bool(row["ref"]) and row["ref"] in self._numbers,
        }

    def _confidence(self, row: Row, held: Sequence[str], own: Sequence[str]) -> Confidence:
        """A company, an entry of several addresses, or a number alone beside another address may be somebody else."""
        is_other = bool(self._emails and held and not self._emails & set(held)) and own == [PHONE]
        is_shared = own == [EMAIL] and len(held) > 1
        doubtful = bool(row["is_company"]) or is_other or is_shared or not own
        return Confidence.PROBABLE if doubtful else Confidence.EXACT

    def _children(self, row: Row, held: Sequence[str]) -> list[JSON]:
        """Addresses kept under a person; not colleagues under a company, nor contacts with an address of their own."""
        if row["is_company"]:
            return []
        below = [["parent_id", "=", row["id"]], ["type", "in", [*ADDRESS_KINDS]], ["is_company", "=", False]]
        rows = self._odoo.rows(PARTNER, below, ["email", "parent_id"])
        return [
            one["id"]
            for one in rows
            if set(addresses(one["email"])) <= set(held)
            and one["parent_id"]
            and one["parent_id"][0] == row["id"]
        ]

    # -- addresses without a partner ---------------------------------------------------------------------------

    def _bare(self) -> Iterator[Match]:
        for model in self._schema.models.values():
            if model.emails and model.name != PARTNER and self._emails:
                rows = self._bearing(model, self._emails, limit=2)
                if rows:
                    yield Match(
                        ref=f"{model.name}/{rows[0]['id']}",
                        type=model.name,
                        matched_on=(EMAIL,),
                        selector={"emails": sorted(self._emails)},
                        is_group=len(rows) > 1,
                    )

    def _bearing(self, model: Model, emails: set[str], *, limit: int) -> list[Row]:
        rows = self._odoo.rows(model.name, bearing(model, emails), model.emails, limit=50)
        sure = [row for row in rows if any(emails & set(addresses(row[name])) for name in model.emails)]
        return sure[:limit]

    def mentions(self, known: Callable[[Sequence[int]], frozenset[int]]) -> list[Match]:
        """Messages in whose text the address stands, but for those that are ``known`` as the person's anyway."""
        if not self._emails:
            return []
        body = any_of([[["body", "ilike", like(one)]] for one in sorted(self._emails)])
        rows = self._odoo.rows(MESSAGE, body, _MENTION_FIELDS, limit=MOST_READ, order="id desc")
        named = [
            row for row in rows if any(_stands_in(str(row["body"]).casefold(), one) for one in self._emails)
        ]
        theirs = known([row["id"] for row in named]) if named else frozenset()
        return [_mention(row) for row in named if row["id"] not in theirs][:MOST_MENTIONS]


def _mention(row: Row) -> Match:
    return Match(
        ref=f"{MESSAGE}/{row['id']}",
        type=MESSAGE,
        matched_on=(EMAIL,),
        confidence=Confidence.MENTION,
        selector={"records": [row["id"]]},
        summary={name: row[name] or None for name in ("subject", "date", "model")},
    )


def _stands_in(text: str, address: str) -> bool:
    """Whether the address stands in a text by itself, and not as the end or beginning of another."""
    return re.search(rf"(?<![\w.+-]){re.escape(address)}(?![\w-]|\.\w)", text) is not None


# How an address stands in a field: by itself, within <>, or among others; never as a part of another.
_STANDS: Final = (
    "{}", "%<{}>%", "{},%", "{};%", "{} %", "%,{}", "%;{}", "% {}", "%,{},%", "% {},%", "%;{};%", "% {};%",
)  # fmt: skip


def bearing(model: Model, emails: frozenset[str] | set[str]) -> Domain:
    """Records of a model that bear one of these addresses."""
    held = [like(one) for one in sorted(emails)]
    return any_of(
        [[[name, "=ilike", how.format(one)]] for name in model.emails for one in held for how in _STANDS]
    )


def _own(held: Sequence[str]) -> list[JSON]:
    """The address of an entry that has one; of several nobody knows which is whose."""
    return [*held] if len(held) == 1 else []


def _revealed(row: Row, held: Sequence[str]) -> Iterator[Identifier]:
    if len(held) == 1:
        yield Identifier(EMAIL, held[0])
    if row["phone"]:
        yield Identifier(PHONE, str(row["phone"]))
    if row["ref"]:
        yield Identifier(EXTERNAL_ID, str(row["ref"]))


def _same_number(held: object, wanted: str) -> bool:
    """Whether two numbers agree when one has the country's code and the other a zero in its place."""
    digits = phone_digits(held) if isinstance(held, str) else ""
    short, long = sorted((digits.lstrip("0"), wanted.lstrip("0")), key=len)
    return len(short) >= NATIONAL_DIGITS and long.endswith(short) and len(long) - len(short) <= 3
