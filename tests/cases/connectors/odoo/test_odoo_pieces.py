"""What needs no Odoo: domains, addresses, files within JSON, and the description."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator

import pytest
from fideslang.default_taxonomy import DEFAULT_TAXONOMY
from hypothesis import given
from hypothesis import strategies as st

from cases.connectors.base import ContractBroken
from cases.connectors.odoo.client import all_of, any_of, decoded, like
from cases.connectors.odoo.description import DESCRIPTION
from cases.connectors.odoo.people import addresses


def pieces(text: bytes, size: int) -> Iterator[bytes]:
    return (text[begin : begin + size] for begin in range(0, len(text), size))


@given(st.binary(max_size=2000), st.integers(1, 300), st.booleans())
def test_file_comes_out_of_json_whatever_the_pieces(content: bytes, size: int, is_escaped: bool) -> None:
    text = json.dumps([{"id": 7, "datas": base64.b64encode(content).decode()}])
    said = (text.replace("/", "\\/") if is_escaped else text).encode()

    assert b"".join(decoded(pieces(said, size))) == content


def test_attachment_without_content_is_empty() -> None:
    assert b"".join(decoded(iter([b'[{"id": 7, "datas": false}]']))) == b""


@pytest.mark.parametrize(
    "said", [b'[{"id": 7}]', b'[{"datas": "QUJD', b'[{"datas": "QUJDR', b'[{"datas": "Q*JD"}]', b"[]"]
)
def test_file_that_is_none_is_refused(said: bytes) -> None:
    with pytest.raises(ContractBroken):
        list(decoded(iter([said])))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Ada@Shop.test", ("ada@shop.test",)),
        ('"Ada, E." <ada@shop.test>', ("ada@shop.test",)),
        ("ada@shop.test; bob@shop.test", ("ada@shop.test", "bob@shop.test")),
        ("ada@shop.test, ADA@shop.test", ("ada@shop.test",)),
        ("nobody", ()),
        (False, ()),
    ],
)
def test_addresses_are_taken_from_what_stands_round_them(text: object, found: tuple[str, ...]) -> None:
    assert addresses(text) == found


def test_domains_are_joined_with_every_operator_written_out() -> None:
    one, two, three = ["a", "=", 1], ["b", "=", 2], ["c", "=", 3]

    assert any_of([[one, two], [three]]) == ["|", "&", one, two, three]
    assert all_of([["|", one, two], [three]]) == ["&", "|", one, two, three]
    assert all_of([["!", one], [two, three]]) == ["&", "!", one, "&", two, three]
    assert any_of([]) == [["id", "=", 0]]


def test_signs_that_stand_for_others_are_taken_at_their_word() -> None:
    assert like("a_b%c\\d") == "a\\_b\\%c\\\\d"


def test_description_names_categories_that_exist() -> None:
    known = {category.fides_key for category in DEFAULT_TAXONOMY.data_category}
    tables = [DESCRIPTION.names, DESCRIPTION.relations, DESCRIPTION.kinds, *DESCRIPTION.models.values()]

    named = {category for table in tables for held in table.values() for category in held}

    assert sorted(named - known) == []


def test_description_lets_no_secret_through() -> None:
    secrets = ["access_token", "password", "new_password", "signup_token", "totp_secret", "keys", "datas"]

    assert [name for name in secrets if not DESCRIPTION.is_secret(name)] == []
