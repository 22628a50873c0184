from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from cases.connectors import dataset as module
from cases.connectors.dataset import DatasetError, parse_dataset

CRM = Path(__file__).parents[4] / "shared" / "data" / "crm_bench" / "crm_dataset.yml"

SHOP = """\
dataset:
  - fides_key: shop
    name: Shop
    data_subjects: [customer]
    collections:
      - name: people
        fields:
          - name: id
            data_categories: [user.unique_id]
            fides_meta: {primary_key: true, data_type: integer}
          - name: email
            data_categories: [user.contact.email]
            fides_meta: {identity: email, length: 60, read_only: true}
          - name: rep
            data_categories: [system.operations]
          - name: profile
            fides_meta: {data_type: object}
            fields:
              - {name: born, data_categories: [user.demographic.date_of_birth]}
              - {name: adviser, data_categories: [user.name], data_subjects: [employee]}
      - name: notes
        data_categories: [user.content]
        fields:
          - {name: id, fidesops_meta: {primary_key: true}}
          - {name: person_id, fidesops_meta: {references: [{dataset: shop, field: people.id, direction: from}]}}
          - {name: text}
      - name: staff
        data_subjects: [employee]
        fields:
          - {name: id, data_categories: [user.unique_id], fides_meta: {primary_key: true}}
          - {name: name, data_categories: [user.name]}
"""
STAFF_REFERENCE = (
    "fides_meta: {primary_key: true, references: [{dataset: shop, field: people.rep, direction: from}]}"
)


def problems(text: str) -> list[tuple[str, str, int | None]]:
    with pytest.raises(DatasetError) as caught:
        parse_dataset(text)
    return [(problem.code, problem.place, problem.line) for problem in caught.value.problems]


def warnings(text: str) -> list[tuple[str, str, int | None]]:
    return [(problem.code, problem.place, problem.line) for problem in parse_dataset(text).warnings]


# --- What is read -------------------------------------------------------------------------------------------------


def test_parse_keeps_order_of_fields_as_written() -> None:
    dataset = parse_dataset(SHOP)

    fields = {item.name: [field.name for field in item.fields] for item in dataset.collections}
    assert fields == {
        "people": ["id", "email", "rep", "profile"],
        "notes": ["id", "person_id", "text"],
        "staff": ["id", "name"],
    }


def test_parse_reads_what_is_said_of_a_field() -> None:
    email = parse_dataset(SHOP).by_name["people"].by_name["email"]

    assert (email.identity, email.length, email.read_only, email.categories) == (
        "email",
        60,
        True,
        ("user.contact.email",),
    )


def test_parse_reads_older_spelling_of_meta() -> None:
    dataset = parse_dataset(SHOP)

    assert dataset.by_name["notes"].primary_key == ("id",)
    assert [str(edge) for edge in dataset.edges] == ["notes.person_id = people.id"]


def test_parse_gives_categories_of_inner_and_bare_fields() -> None:
    dataset = parse_dataset(SHOP)

    assert dataset.by_name["people"].categories == {
        "id": ("user.unique_id",),
        "email": ("user.contact.email",),
        "rep": ("system.operations",),
        "profile": (),
        "profile.born": ("user.demographic.date_of_birth",),
        "profile.adviser": ("user.name",),
    }
    assert dataset.by_name["notes"].categories == dict.fromkeys(
        ("id", "person_id", "text"), ("user.content",)
    )


def test_parse_tells_fields_with_personal_data_from_others() -> None:
    people = parse_dataset(SHOP).by_name["people"]

    assert people.personal_fields == {"id", "email", "profile.born", "profile.adviser"}


def test_parse_says_who_rows_and_fields_are_about() -> None:
    dataset = parse_dataset(SHOP)

    assert {item.name: item.third_party for item in dataset.collections} == {
        "people": False,
        "notes": False,
        "staff": True,
    }
    assert dataset.by_name["people"].third_party_fields == ("profile.adviser",)


def test_parse_takes_subjects_of_identity_when_dataset_names_none() -> None:
    text = SHOP.replace("    data_subjects: [customer]\n", "").replace(
        "name: people", "name: people\n        data_subjects: [patient]"
    )

    dataset = parse_dataset(text)

    assert dataset.subjects == ("patient",)
    assert [item.name for item in dataset.collections if item.third_party] == ["staff"]


@pytest.mark.parametrize(
    ("said", "kind"), [("phone", "phone_number"), ("Email", "email"), ("loyalty_no", "loyalty_no")]
)
def test_parse_brings_identity_to_its_one_name(said: str, kind: str) -> None:
    dataset = parse_dataset(SHOP.replace("identity: email", f"identity: {said}"))

    assert dataset.identity_kinds == {kind}


@pytest.mark.skipif(not CRM.exists(), reason="the sample CRM is not beside the project")
def test_parse_reads_sample_crm() -> None:
    dataset = parse_dataset(CRM.read_text(encoding="utf-8"))

    assert [item.name for item in dataset.reached] == ["customers", "orders", "tickets", "addresses"]
    assert dataset.warnings == ()


# --- What is refused ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        ("identity: email", "identiy: email", ("unknown_key", "people.email", 13)),
        ("user.contact.email", "user.contact.phone", ("unknown_word", "people.email", 12)),
        ("[customer]", "[costumer]", ("unknown_word", "dataset", 4)),
        ("[employee]}", "[emploi]}", ("unknown_word", "people.profile.adviser", 20)),
        ("field: people.id", "field: people.no", ("dangling", "notes.person_id", 25)),
        ("field: people.id", "field: id", ("dangling", "notes.person_id", 25)),
        ("dataset: shop,", "dataset: other,", ("other_dataset", "notes.person_id", 25)),
        ("length: 60", "length: -1", ("form", "people.email", 13)),
        ("data_type: integer", "data_type: bogus", ("form", "people.id", 10)),
        ("- {name: text}", "- {nam: text}", ("unknown_key", "notes", 26)),
        ("    name: Shop\n", "    name: Shop\n    name: Shop\n", ("twice", "name", 4)),
        ("- {name: text}", "- {name: id}", ("form", "notes", 24)),
    ],
)
def test_parse_names_place_of_mistake(old: str, new: str, found: tuple[str, str, int]) -> None:
    assert problems(SHOP.replace(old, new, 1))[0] == found


def test_parse_refuses_description_by_which_nobody_is_found() -> None:
    assert problems(SHOP.replace("identity: email, ", "")) == [("no_identity", "dataset", 2)]


def test_parse_refuses_keys_inside_nested_fields() -> None:
    text = SHOP.replace(
        "[user.demographic.date_of_birth]}", "[user.contact.email], fides_meta: {identity: email}}"
    )

    assert problems(text) == [("nested", "people.profile.born", 19)]


def test_parse_reports_all_mistakes_at_once() -> None:
    text = SHOP.replace("user.contact.email", "user.mail").replace("[user.content]", "[user.contents]")

    assert problems(text) == [("unknown_word", "people.email", 12), ("unknown_word", "notes", 22)]


def test_parse_suggests_the_word_that_was_meant() -> None:
    with pytest.raises(DatasetError) as caught:
        parse_dataset(SHOP.replace("user.content]", "user.contents]"))

    assert str(caught.value) == (
        "The dataset description is not right: notes (line 22): there is no data category “user.contents”. "
        "Did you mean “user.content”?"
    )


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "[]",
        "dataset: []",
        "dataset: [1, 2]",
        "dataset: {a: [",
        "\x00",
        "!!python/none x",
        "a: 2024-99-99",
        "[" * 2000,
    ],
)
def test_parse_refuses_what_is_no_description(text: str) -> None:
    with pytest.raises(DatasetError):
        parse_dataset(text)


def test_parse_refuses_aliases_that_unfold_without_end() -> None:
    levels = "\n".join(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 9))

    assert problems(f"a0: &a0 [x]\n{levels}\ndataset: *a8") == [("too_large", "file", None)]


WORDS = st.sampled_from(
    [
        "dataset",
        "fides_key",
        "collections",
        "fields",
        "name",
        "fides_meta",
        "identity",
        "references",
        "people",
        7,
        None,
    ]
)
DOCUMENTS = st.recursive(WORDS, lambda inner: st.lists(inner) | st.dictionaries(WORDS, inner))
WRAPPED = DOCUMENTS.map(lambda one: {"dataset": [{"fides_key": "shop", "collections": [one], "name": "x"}]})


@settings(max_examples=60)
@given(st.text() | (DOCUMENTS | WRAPPED).map(yaml.safe_dump))
def test_parse_raises_nothing_but_its_own_error(text: str) -> None:
    with pytest.raises(DatasetError):
        parse_dataset(text)


def test_parse_refuses_text_beyond_its_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_CHARACTERS", len(SHOP) - 1)

    assert problems(f"{SHOP}# not read before") == [("too_large", "file", None)]


# --- The way through it -------------------------------------------------------------------------------------------


def test_route_leaves_out_what_nothing_leads_to() -> None:
    dataset = parse_dataset(SHOP)

    assert dataset.unreachable == ("staff",)
    assert [item.name for item in dataset.reached] == ["people", "notes"]
    assert ("unreachable", "staff", 27) in warnings(SHOP)


def test_route_puts_rows_about_others_last() -> None:
    text = SHOP.replace(
        "[user.unique_id], fides_meta: {primary_key: true}}", f"[user.unique_id], {STAFF_REFERENCE}}}"
    )

    assert [item.name for item in parse_dataset(text).reached] == ["people", "notes", "staff"]


def test_route_turns_reference_as_direction_says() -> None:
    text = SHOP.replace(
        "- name: rep\n            data_categories: [system.operations]",
        "- name: rep\n            data_categories: [system.operations]\n"
        "            fides_meta: {references: [{dataset: shop, field: staff.id, direction: to}]}",
    )

    dataset = parse_dataset(text)

    assert [str(edge) for edge in dataset.edges] == ["staff.id = people.rep", "notes.person_id = people.id"]


def test_route_turns_reference_without_direction_away_from_person() -> None:
    text = SHOP.replace(", direction: from", "")

    assert [str(edge) for edge in parse_dataset(text).edges] == ["notes.person_id = people.id"]


def test_route_follows_no_reference_without_direction_between_equals() -> None:
    text = SHOP.replace(", direction: from", "").replace(
        "{name: text}", "{name: text, fides_meta: {identity: email}}"
    )

    dataset = parse_dataset(text)

    assert dataset.edges == ()
    assert ("no_direction", "notes.person_id", 25) in warnings(text)


def test_route_marks_circle_that_does_not_reach_people() -> None:
    text = SHOP.replace(
        "- {name: text}",
        "- {name: parent, fides_meta: {references: [{dataset: shop, field: notes.id, direction: from}]}}",
    )

    edges = {str(edge): edge.cyclic for edge in parse_dataset(text).edges}

    assert edges == {"notes.person_id = people.id": False, "notes.parent = notes.id": True}
    assert ("cycle", "notes", 21) in warnings(text)


def test_route_refuses_circle_back_to_people() -> None:
    text = SHOP.replace(
        "- name: rep\n            data_categories: [system.operations]",
        "- name: rep\n            data_categories: [system.operations]\n"
        "            fides_meta: {references: [{dataset: shop, field: notes.person_id, direction: from}]}",
    )

    dataset = parse_dataset(text)

    assert {str(edge): edge.cyclic for edge in dataset.edges} == {"notes.person_id = people.id": False}
    assert ("cycle_to_people", "people", 6) in warnings(text)


def test_route_skips_what_description_skips() -> None:
    text = SHOP.replace(
        "      - name: notes\n", "      - name: notes\n        fides_meta: {skip_processing: true}\n"
    )

    dataset = parse_dataset(text)

    assert [item.name for item in dataset.reached] == ["people"]
    assert [code for code, place, _ in warnings(text) if place == "notes"] == ["skipped"]


def test_warnings_name_collections_without_key_or_category() -> None:
    text = SHOP.replace("{name: id, fidesops_meta: {primary_key: true}}", "{name: id}")

    assert warnings(text) == [
        ("unreachable", "staff", 27),
        ("no_category", "people", 6),
        ("no_primary_key", "notes", 21),
    ]


def test_the_first_field_that_takes_statements_is_where_they_go() -> None:
    field = (
        "          - {name: remarks, data_categories: [user.content], desk_meta: {takes_statements: true}}\n"
    )
    text = SHOP.replace("      - name: notes\n", f"{field}      - name: notes\n")

    dataset = parse_dataset(text)

    assert {name: one.statement_field for name, one in dataset.by_name.items()} == {
        "people": "remarks",
        "notes": "",
        "staff": "",
    }
