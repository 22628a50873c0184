from __future__ import annotations

import ast
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cases.connectors import base
from cases.connectors.base import (
    Confidence,
    ConnectorError,
    ContractBroken,
    Cursor,
    Identifier,
    Match,
    NoIdentifiers,
    NotSearchable,
    PermissionDenied,
    Setup,
    TimedOut,
    phone_digits,
    require_identifiers,
)
from cases.connectors.dataset import DatasetError

KEYS = st.none() | st.lists(st.text() | st.integers())
PARAMS = {"what": "the table “notes”", "kinds": "email", "reason": "because", "problem": "x", "where": ""}


def error_classes(parent: type[ConnectorError] = ConnectorError) -> set[type[ConnectorError]]:
    return {parent}.union(*(error_classes(child) for child in parent.__subclasses__()))


@given(st.text(), KEYS, st.integers(0), st.none() | st.integers(0))
def test_cursor_survives_json(stage: str, after: Any, seen: int, total: int | None) -> None:
    cursor = Cursor(stage, after, seen, total)

    assert Cursor.from_json(cursor.to_json()) == cursor


@given(
    st.text(), st.text(), st.lists(st.text()), st.sampled_from(Confidence), st.dictionaries(st.text(), KEYS)
)
def test_match_survives_json(ref: str, kind: str, on: list[str], sure: Confidence, selector: Any) -> None:
    match = Match(ref, kind, tuple(on), sure, selector)

    assert Match.from_json(match.to_json()) == match


@pytest.mark.parametrize(
    "value", [{}, {"format": 2}, {"format": 1, "stage": "x"}, {**Cursor("x").to_json(), "seen": "x"}]
)
def test_cursor_of_another_form_is_refused(value: Any) -> None:
    with pytest.raises(ContractBroken):
        Cursor.from_json(value)


@pytest.mark.parametrize("value", [{}, {**Match("r", "t", ()).to_json(), "confidence": "certain"}])
def test_match_of_another_form_is_refused(value: Any) -> None:
    with pytest.raises(ContractBroken):
        Match.from_json(value)


def test_identifier_brings_kind_to_its_one_name() -> None:
    assert [Identifier(kind, "1").kind for kind in ("phone", " E-Mail", "external_id")] == [
        "phone_number",
        "email",
        "external_id",
    ]


def test_require_identifiers_drops_blanks_and_unknown_kinds() -> None:
    given_ = [Identifier("email", " "), Identifier("email", "a@b.test"), Identifier("shoe_size", "43")]

    assert require_identifiers(given_, {"email"}) == (Identifier("email", "a@b.test"),)


@pytest.mark.parametrize("value", ["", "n/a", "ext. 12", "+"])
def test_require_identifiers_refuses_phone_without_number(value: str) -> None:
    with pytest.raises(NoIdentifiers):
        require_identifiers([Identifier("phone", value)], {"phone_number"})


def test_require_identifiers_names_kinds_when_none_fits() -> None:
    with pytest.raises(NotSearchable) as caught:
        require_identifiers([Identifier("email", "a@b.test")], {"external_id", "phone_number"})

    assert str(caught.value) == (
        "This source can be searched by external_id, phone_number only, and none of it is known of the person."
    )


@pytest.mark.parametrize(
    ("value", "digits"),
    [
        ("+44 (20) 7946-0001", "442079460001"),
        ("0044 20 79460001", "442079460001"),
        ("٠٢٠", "020"),
        ("x²", "2"),
    ],
)
def test_phone_digits_in_any_writing(value: str, digits: str) -> None:
    assert phone_digits(value) == digits


def test_errors_have_codes_of_their_own() -> None:
    """Whoever says something else has another code; who only tells the program more may share one."""
    said = {(error.code, error.sentence, error.remedy) for error in error_classes()}

    assert sorted(code for code, _sentence, _remedy in said) == sorted(
        {error.code for error in error_classes()}
    )


@pytest.mark.parametrize("error", sorted(error_classes() - {DatasetError}, key=str))
def test_errors_say_what_happened_and_what_to_do(error: type[ConnectorError]) -> None:
    said = [error.sentence.format(**PARAMS), error.remedy.format(**PARAMS)]

    assert [text[-1] in ".x" or text.endswith("because") for text in said] == [True, True]
    assert [text[0].isupper() for text in said] == [True, True]


def test_error_fills_in_names() -> None:
    error = PermissionDenied(what="the table “notes”")

    assert (str(error), error.code, error.retryable) == (
        "The account may sign in, but may not read the table “notes”.",
        "permission",
        False,
    )
    assert error.what_to_do == (
        "Ask the source's administrator to let this account read the table “notes”, then rerun this source."
    )


def test_time_out_names_place_when_known() -> None:
    assert [str(TimedOut()), str(TimedOut("notes"))] == [
        "The source took longer than the time it was given.",
        "The source took longer than the time it was given to read notes.",
    ]


def test_setup_keeps_secrets_out_of_its_repr() -> None:
    assert "s3cret" not in repr(Setup({}, {"password": "s3cret"}))


def test_contract_imports_the_standard_library_only() -> None:
    tree = ast.parse(Path(base.__file__).read_text(encoding="utf-8"))

    imported = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    imported |= {name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names}
    assert {str(name).split(".")[0] for name in imported} - sys.stdlib_module_names == set()
