import pytest

from cases.connectors import registry
from cases.connectors.base import ConfigurationError, Connector, Identifier
from cases.connectors.manual.connector import ManualConnector, SearchedByHand


def test_source_of_a_person_keeps_the_contract_and_finds_nothing_by_itself() -> None:
    made = registry.build("manual", {}, {})

    assert isinstance(made, Connector)
    assert made.holds([Identifier("email", "ada@example.com")]) == {}
    with pytest.raises(SearchedByHand):
        made.find([Identifier("email", "ada@example.com")])
    with pytest.raises(SearchedByHand):
        made.collect([], None)


def test_owner_sees_name_and_address_unless_told_otherwise() -> None:
    shown = [registry.build("manual", options, {}) for options in ({}, {"search_by": "external_id , name"})]

    assert [one.shown for one in shown if isinstance(one, ManualConnector)] == [
        ("name", "email"),
        ("external_id", "name"),
    ]


@pytest.mark.parametrize("search_by", ["passport", "name, passport", " , "])
def test_only_what_is_known_of_a_person_can_be_shown(search_by: str) -> None:
    with pytest.raises(ConfigurationError):
        registry.build("manual", {"search_by": search_by}, {})
