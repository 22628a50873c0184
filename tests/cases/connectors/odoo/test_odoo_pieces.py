"""What needs no Odoo: domains, addresses, files within JSON, and the description."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator

import pytest
from fideslang.default_taxonomy import DEFAULT_TAXONOMY
from hypothesis import given
from hypothesis import strategies as st

from cases.connectors.base import JSON, Ability, ContractBroken
from cases.connectors.changes import Verb, Wish
from cases.connectors.odoo.behaviour import DELETABLE, INSEPARABLE, NOBODY, described
from cases.connectors.odoo.client import all_of, any_of, decoded, like
from cases.connectors.odoo.description import DESCRIPTION
from cases.connectors.odoo.people import addresses
from cases.connectors.odoo.records import Fields
from cases.connectors.odoo.schema import Model, ModelField
from cases.connectors.odoo.tracking import forgetting, history
from cases.connectors.odoo.wanted import changed, id_of, nobody, same, written


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


# --- Changes ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "other", "yes"),
    [
        (None, False, True),
        ("", None, True),
        ([], None, True),
        ([{"name": "size", "value": False}], False, True),
        ([{"name": "size", "value": "XL"}], False, False),
        ([3, 1], [1, 3], True),
        (0, None, False),
        (True, None, False),
        ("Ada", "ada", False),
    ],
)
def test_nothing_is_one_thing_to_odoo_whatever_it_is_called(one: JSON, other: JSON, yes: bool) -> None:
    assert same(one, other) is yes


@pytest.mark.parametrize(
    ("said", "before", "now", "is_changed"),
    [
        ({"type": "char"}, "York", "Ely", True),
        ({"type": "char", "readonly": True, "depends": ["name"]}, "York", "Ely", False),
        ({"type": "char", "readonly": False, "depends": ["name"]}, "York", "Ely", True),
        ({"type": "many2many"}, [1], [2], False),
        ({"type": "many2one"}, 7, 8, True),
        ({"type": "many2one"}, 7, None, False),
        ({"type": "boolean"}, False, True, True),
    ],
)
def test_what_odoo_works_out_by_itself_is_no_change(
    said: dict[str, JSON], before: JSON, now: JSON, is_changed: bool
) -> None:
    found = changed(
        {"it": before, "gone": 1, "write_date": "2026"}, {"it": now, "write_date": "2027"}, {"it": said}
    )

    assert found == (["it"] if is_changed else [])


def fields_of(**kinds: str) -> Fields:
    """A contact with one field of each kind that is named; those called x_… nobody has described."""
    known = {
        name: ModelField(
            name, kind, "res.country" if kind == "many2one" else "", name.startswith("x_"), ("base",), False
        )
        for name, kind in kinds.items()
    }
    return Fields.of(Model("res.partner", known), [*known])


def test_contact_without_a_person_keeps_settings_and_nothing_that_tells_of_anybody() -> None:
    fields = fields_of(
        name="char", email="char", comment="html", lang="selection", signup_token="char", credit_limit="float",
        partner_latitude="float", country_id="many2one", color="integer", complete_name="char", x_born="date",
        x_size="integer",
    )  # fmt: skip
    said = {name: {"readonly": name == "complete_name"} for name in fields.model.fields}

    assert dict(nobody(fields, said)) == {
        "name": NOBODY,
        "active": False,
        "email": False,
        "comment": False,
        "partner_latitude": 0,
        "country_id": False,
        "x_born": False,
    }


def test_wrong_value_alone_goes_from_the_history_of_a_corrected_record() -> None:
    values: dict[str, JSON] = {"name": "Ada", "city": "York"}

    assert forgetting(Verb.SET, values, {"name": "Ida", "city": None}) == {"name": "Ida"}
    assert forgetting(Verb.ANONYMISE, values, {"name": "Ida"}) == {"name": None, "city": None}
    assert history("res.partner", 7, {"name": None})[-1] == ["field_id.name", "=", "name"]


def test_labels_are_put_in_the_place_of_the_present_ones() -> None:
    assert written({"category_id": [], "name": "Ada"}) == {"category_id": [[6, 0, []]], "name": "Ada"}


@pytest.mark.parametrize("handle", [{}, {"id": "7"}, {"id": True}, {"id": None}])
def test_record_that_the_connector_has_not_named_is_refused(handle: dict[str, JSON]) -> None:
    with pytest.raises(ContractBroken):
        id_of(Wish("k", Verb.DELETE, "res.partner/7", "res.partner", handle))


def test_abilities_are_what_odoo_really_does() -> None:
    types = {name: described(name) for name in DESCRIPTION.standard}

    assert types["res.partner"].abilities == {Ability.DELETE, Ability.ANONYMISE, Ability.RECTIFY}
    assert [name for name, known in types.items() if Ability.RESTRICT in known.abilities] == []
    assert {name for name, known in types.items() if not known.abilities} == {
        "mail.blacklist", "payment.token", "payment.transaction", "project.project", "res.users",
    }  # fmt: skip
    assert set(DESCRIPTION.standard) >= DELETABLE
    assert set(INSEPARABLE) <= DELETABLE
    assert types["res.partner"].forms["email"].categories == ("user.contact.email",)
