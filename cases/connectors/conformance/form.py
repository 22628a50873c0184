"""Point 0: the form of the contract, which the other points rest on."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeAlias

import pytest

from cases.connectors.base import (
    Connector,
    ContractBroken,
    Cursor,
    HoldsBlobs,
    Identifier,
    LinkKind,
    NoIdentifiers,
    NotSearchable,
    Record,
)
from cases.connectors.conformance.bench import Bench
from cases.connectors.conformance.child import fingerprint
from cases.connectors.conformance.world import Aspect

# A type of record, a field, and what it holds.
Place: TypeAlias = tuple[str, str, str]


class FormPoints(Bench):
    """What it says of itself, and how its calls behave."""

    def test_00_keeps_protocol(self) -> None:
        connector = self.connect()

        assert isinstance(connector, Connector)

    def test_00_gives_a_reason_for_all_that_is_not_claimed(self) -> None:
        bare = [claim.value for claim, reason in self.not_claimed.items() if not reason.strip()]

        assert bare == []

    def test_00_names_and_labels_each_option_once(self) -> None:
        options = type(self.connect()).options()

        names = [option.name for option in options]
        assert sorted(set(names)) == sorted(names)
        assert [option.name for option in options if not option.label] == []

    def test_00_capabilities_name_kinds_and_types(self) -> None:
        capabilities = self.connect(page_size=7).capabilities()

        assert self.world().kind in capabilities.identifier_kinds
        assert {name: held.name for name, held in capabilities.types.items()} == {
            name: name for name in capabilities.types
        }
        assert set(self.world().records) <= set(capabilities.types)
        assert capabilities.page_max == 7

    def test_00_says_what_it_can_do_without_asking_the_source(self) -> None:
        self.require(Aspect.SECRET)

        known = self.connect(wrong_secret=True).capabilities()

        assert known == self.connect().capabilities()

    def test_00_hands_over_plain_json(self) -> None:
        """What the engine keeps comes back from where it is kept as it was."""
        records = self.records()

        given = [
            [dict(one.data), dict(one.link.keys), dict(one.handle), [dict(blob.handle) for blob in one.blobs]]
            for one in records
        ]

        assert json.loads(json.dumps(given)) == given
        assert [one.ref for one in records if one.fetched_at.tzinfo is None] == []

    def test_00_check_names_unknown_fields(self) -> None:
        connector = self.connect()

        check = connector.check()

        connector.close()
        assert dict(check.unknown_fields) == dict(self.world().unknown_fields)

    @pytest.mark.parametrize("values", [(), ("",), ("  ", "\t\n")])
    def test_00_refuses_empty_identifiers(self, values: tuple[str, ...]) -> None:
        connector = self.connect()
        identifiers = [Identifier(self.world().kind, value) for value in values]

        with pytest.raises(NoIdentifiers):
            connector.find(identifiers)
        with pytest.raises(NoIdentifiers):
            connector.holds(identifiers)
        connector.close()

    def test_00_passes_over_unknown_kind_beside_known(self) -> None:
        connector = self.connect()
        expected = [match.ref for match in self.find(self.world().subject)]

        matches = connector.find([Identifier("shoe_size", "43"), *self.identify(self.world().subject)])

        connector.close()
        assert [match.ref for match in matches] == expected

    def test_00_refuses_unknown_kind_alone(self) -> None:
        connector = self.connect()

        with pytest.raises(NotSearchable):
            connector.find([Identifier("shoe_size", "43")])
        connector.close()

    def test_00_holds_answers_yes_or_no_for_kinds_it_knows(self) -> None:
        connector = self.connect()
        kind, nobody = self.world().kind, self.world().near_misses[0]
        known = Identifier(kind, self.world().subject)

        answers = [
            dict(connector.holds([known, Identifier("shoe_size", "43")])),
            dict(connector.holds([Identifier(kind, nobody)])),
            dict(connector.holds([known, Identifier(kind, nobody)])),
        ]

        connector.close()
        assert answers == [{kind: True}, {kind: False}, {kind: False}]

    def test_00_marks_third_parties(self) -> None:
        marked = {record.type for record in self.records() if record.third_party}

        assert marked == set(self.world().third_parties)

    def test_00_proves_link_of_each_record(self) -> None:
        records = self.records()

        unproven = [record.ref for record in records if not record.link.via or not record.link.keys]
        foreign = [record.ref for record in records if not record.link.keys.items() <= record.data.items()]
        assert unproven == []
        assert foreign == []

    def test_00_shows_the_identifier_in_what_was_found_by_it(self) -> None:
        found = [one for one in self.records() if one.link.kind is LinkKind.IDENTITY]

        strange = [
            record.ref for record in found if not _bears(record, self.world().kind, self.world().subject)
        ]
        assert found
        assert strange == []

    def test_00_refers_to_records_that_came_before(self) -> None:
        """The engine sets aside for a human whatever refers to nothing that it has."""
        types = self.connect().capabilities().types
        parents = {parent for known in types.values() for parent in known.parents}
        seen: set[Place] = set()
        lost = []

        for record in self.records():
            if record.link.kind is LinkKind.REFERENCE and not _leads_to(record, seen):
                lost.append(record.ref)
            if record.type in parents:
                seen |= _places(record, types[record.type].keys)

        assert lost == []

    def test_00_gives_category_of_each_field(self) -> None:
        bare = {
            f"{record.type}.{name}"
            for record in self.records()
            for name in record.data
            if not record.categories[name]
        }

        assert bare == set()

    def test_00_keeps_unknown_fields_apart_and_names_them(self) -> None:
        pages = list(self.walk(page_size=2))

        records = [record for page in pages for record in page.records]
        unknown = {(name, one) for name, fields in self.world().unknown_fields.items() for one in fields}
        taken = {(record.type, name) for record in records for name in record.data}
        apart = {(record.type, name) for record in records for name in record.unclassified}
        assert taken & unknown == set()
        assert apart == {(name, one) for name, one in unknown if name in self.world().records}
        named = {
            (name, one) for page in pages for name, fields in page.unknown_fields.items() for one in fields
        }
        assert named == unknown

    def test_00_returns_nothing_for_no_match(self) -> None:
        connector = self.connect()

        page = connector.collect([], None)

        connector.close()
        assert (list(page.records), page.next, page.expected_total) == ([], None, 0)

    def test_00_refuses_cursor_that_it_did_not_write(self) -> None:
        matches = self.find(self.world().subject)
        connector = self.connect()

        with pytest.raises(ContractBroken):
            connector.collect(matches, Cursor(stage="no such stage", after=["x"]))
        connector.close()

    def test_00_answers_another_thread(self) -> None:
        """The engine has a page read by a thread while it stores the one before."""
        matches = self.find(self.world().subject)
        connector = self.connect(page_size=2)
        cursor = connector.collect(matches, None).next
        here = connector.collect(matches, cursor)

        with ThreadPoolExecutor(1) as thread:
            there = thread.submit(connector.collect, matches, cursor).result()

        connector.close()
        assert [fingerprint(one) for one in there.records] == [fingerprint(one) for one in here.records]

    def test_00_opens_again_after_it_was_closed_twice(self) -> None:
        connector = self.connect()
        connector.find(self.identify(self.world().subject))

        connector.close()
        connector.close()

        assert list(connector.find(self.identify(self.world().near_misses[0]))) == []
        connector.close()

    def test_00_records_name_files_only_where_they_can_be_opened(self) -> None:
        named = [blob.ref for record in self.records() for blob in record.blobs]

        assert named == [] or isinstance(self.connect(), HoldsBlobs)


def _bears(record: Record, kind: str, value: str) -> bool:
    """Say whether one of the keys by which a record is proved is the identifier that was searched for."""
    keys = record.link.keys
    held = [keys[name] for name in keys if record.link.identifiers.get(name, name) == kind]
    return any(str(one).strip().lower() == value.strip().lower() for one in held)


def _places(record: Record, keys: Iterable[str]) -> set[Place]:
    """What others may refer to: the record's type, a key, and what it holds there."""
    held = ((key, record.data.get(key, record.handle.get(key))) for key in keys)
    return {(record.type, key, str(value)) for key, value in held}


def _leads_to(record: Record, seen: Collection[Place]) -> bool:
    return any(_is_seen(record, via.split(" and "), seen) for via in record.link.via)


def _is_seen(record: Record, parts: Iterable[str], seen: Collection[Place]) -> bool:
    return all(_place(record, part) in seen for part in parts)


def _place(record: Record, part: str) -> Place | None:
    """Return where ``ticket.contact = contact.id`` leads from this record; None for anything else."""
    left, equals, right = part.partition(" = ")
    parent, dot, key = right.rpartition(".")
    value = record.link.keys.get(left.removeprefix(f"{record.type}."))
    return (parent, key, str(value)) if equals and dot and value is not None else None
