"""What can be taken along follows from what is stated: never more than that."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cases.fulfilment.portable import BASES, DERIVED, PROVIDED, reach

BASIS = st.sampled_from([*BASES, "other"])
ORIGIN = st.sampled_from([*PROVIDED, *DERIVED])
STATED = st.fixed_dictionaries({"basis": BASIS, "origin": ORIGIN, "automated": st.booleans()})


@pytest.mark.parametrize(
    "stated", [{}, {"automated": True}, {"collections": {"scores": {"origin": "inferred"}}}]
)
def test_nothing_stated_is_for_a_person_to_decide(stated):
    assert reach(stated, "people") is None


@given(STATED)
def test_goes_along_only_where_all_three_hold(stated):
    found = reach(stated, "people")

    goes = stated["basis"] in BASES and stated["origin"] in PROVIDED and stated["automated"]
    assert found is not None
    assert found.is_whole == goes


@given(STATED, STATED)
def test_collection_speaks_for_itself(source, own):
    assert reach({**source, "collections": {"scores": own}}, "scores") == reach(own, "scores")


@given(st.dictionaries(st.sampled_from(["a", "b", "c"]), ORIGIN))
def test_only_derived_fields_are_left_out(fields):
    found = reach({"basis": "contract", "fields": fields}, "people")

    assert found is not None
    assert set(found.fields) == {name for name, origin in fields.items() if origin in DERIVED}
    assert [mark["field"] for mark in found.marks["fields"]] == sorted(found.fields)
