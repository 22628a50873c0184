# A table of cases reads best with one case a line.
# ruff: noqa: E501
from __future__ import annotations

import sys
from datetime import date
from importlib.metadata import EntryPoint
from importlib.resources import files
from pathlib import Path

import pytest

from cases.deadlines import loader
from cases.deadlines.errors import DataFileError
from cases.deadlines.loader import (
    UnknownRegimeError,
    calendar_for,
    catalogue_of,
    default_catalogue,
    parse_law,
    read_laws,
)
from cases.deadlines.rules import cited_rules

LAW = """
format = 1
law = "xx-law"
name = "Law of Nowhere"
[sources]
ACT = "Act 1"
[[versions]]
version = "one"
valid_from = 2020-01-01
valid_to = 2023-12-31
receipt = { count_from = "receipt", article = "s.1", source = "ACT" }
periods = [{ days = 20, article = "s.2", source = "ACT" }]
prompt = { within_days = 5, target_working_days = 3, article = "s.3", source = "ACT" }
roll = { rolls = true, article = "s.4", source = "ACT" }
target = { days = 10, article = "s.5", source = "ACT" }
[[versions]]
version = "two"
valid_from = 2024-01-01
receipt = { count_from = "receipt", article = "s.1", source = "ACT" }
periods = [{ months = 1, article = "s.2", source = "ACT" }]
prompt = { within_days = 5, target_working_days = 3, article = "s.3", source = "ACT" }
roll = { rolls = true, article = "s.4", source = "ACT" }
target = { days = 10, article = "s.5", source = "ACT" }
[[places]]
code = "XX"
name = "Nowhere"
zone = "Europe/Paris"
calendar = { country = "FR" }
"""

MEMBERS = [
    "AT",
    "BE",
    "BG",
    "CY",
    "CZ",
    "DE",
    "DK",
    "EE",
    "ES",
    "FI",
    "FR",
    "GR",
    "HR",
    "HU",
    "IE",
    "IT",
    "LT",
    "LU",
    "LV",
    "MT",
    "NL",
    "PL",
    "PT",
    "RO",
    "SE",
    "SI",
    "SK",
    "IS",
    "LI",
    "NO",
]


def test_every_member_state_and_nation_is_there() -> None:
    expected = {f"EU-{member}" for member in MEMBERS} | {"UK-ENG", "UK-WLS", "UK-SCT", "UK-NIR"}

    codes = default_catalogue().codes()

    assert {code for code in codes if code[:2] in ("EU", "UK")} == expected


def test_regimes_of_other_countries_are_there() -> None:
    codes = {code for code in default_catalogue().codes() if code[:2] not in ("EU", "UK")}

    assert codes == {
        "US-CA", "US-VA", "US-CO", "BR", "CH", "CA-QC", "CA", "AU", "NZ", "SG", "JP", "KR", "IN", "ZA",
    }  # fmt: skip


@pytest.mark.parametrize("code", default_catalogue().codes())
def test_calendar_of_every_regime_can_be_read(code: str) -> None:
    regime = default_catalogue().regime(code, date(2027, 6, 1))

    assert calendar_for(regime).is_working(date(2027, 6, 5)) is False


@pytest.mark.parametrize(
    ("received_on", "version"),
    [
        (date(2018, 5, 25), "2018-05-25"),
        (date(2019, 8, 14), "2018-05-25"),
        (date(2019, 8, 15), "2019-08-15"),
        (date(2026, 2, 4), "2020-10-21"),
        (date(2026, 2, 5), "2026-02-05"),
    ],
)
def test_version_is_the_one_in_force_on_receipt(received_on: date, version: str) -> None:
    assert default_catalogue().regime("UK-ENG", received_on).version.version == version


def test_older_version_is_found_by_name() -> None:
    regime = default_catalogue().version("UK-SCT", "2020-10-21")

    assert (regime.code, regime.rule_version) == ("UK-SCT", "uk-gdpr 2020-10-21")


@pytest.mark.parametrize(
    ("code", "received_on", "message"),
    [
        ("EU-XX", date(2026, 1, 1), "unknown regime 'EU-XX'"),
        ("EU-DE", date(2018, 5, 24), "EU-DE has no version in force on 2018-05-24"),
        ("EU-NO", date(2018, 7, 19), "EU-NO has no version in force on 2018-07-19"),
        ("IN", date(2026, 9, 1), "IN has no version in force on 2026-09-01"),
    ],
)
def test_regime_that_does_not_hold_is_named(code: str, received_on: date, message: str) -> None:
    with pytest.raises(UnknownRegimeError) as caught:
        default_catalogue().regime(code, received_on)

    assert str(caught.value) == message


def test_unknown_version_is_named() -> None:
    with pytest.raises(UnknownRegimeError, match=r"^EU-DE has no version '1999'$"):
        default_catalogue().version("EU-DE", "1999")


def test_everything_known_from_memory_is_marked_unconfirmed() -> None:
    weak = {"MEMORY", "TABLE", "EDPB", "POLICY"}

    bold = [
        (law.law, rule.article)
        for law in default_catalogue().laws.values()
        for rule in cited_rules(law)
        if rule.source in weak and not rule.unconfirmed
    ]

    assert bold == []


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("months = 1", "months = 0", "versions[1].periods[0]: Value error, give exactly one of months, days and working_days, and not nought"),
        ("months = 1", "months = 1, days = 2", "versions[1].periods[0]: Value error, give exactly one of months, days and working_days, and not nought"),
        ("months = 1", 'months = "1"', "versions[1].periods[0].months: Input should be a valid integer"),
        ("rolls = true", "rolls = 1", "versions[0].roll.rolls: Input should be a valid boolean"),
        ('count_from = "receipt"', 'count_from = "reading"', "versions[0].receipt.count_from: Input should be 'receipt' or 'next_day'"),
        ("valid_to = 2023-12-31", "valid_to = 2024-01-01", "the file: Value error, versions one and two overlap"),
        ("valid_to = 2023-12-31", "valid_to = 2019-12-31", "versions[0]: Value error, valid_to is before valid_from"),
        ('version = "two"', 'version = "one"', "the file: Value error, version given twice: one"),
        ("Europe/Paris", "Europe/Pariis", "places[0]: Value error, unknown time zone 'Europe/Pariis'"),
        ('article = "s.5", source = "ACT"', 'article = "s.5", source = "GUESS"', "the file: Value error, source not listed under sources: GUESS"),
        ('name = "Law of Nowhere"', 'name = "Law of Nowhere"\nnicename = "x"', "nicename: Unexpected keyword argument"),
        ('country = "FR"', 'country = "FR", recess_from = "12-25"', "places[0].calendar: Value error, give recess_from and recess_to together"),
        ('code = "XX"', 'code = "xx"', "places[0].code: String should match pattern '^[A-Z]{2}(-[A-Z0-9]+)*$'"),
        ('article = "s.3", ', "", "versions[0].prompt.article: Field required"),
    ],
)  # fmt: skip
def test_mistake_in_a_law_file_is_named_with_its_place(old: str, new: str, problem: str) -> None:
    text = LAW.replace(old, new, 1)

    with pytest.raises(DataFileError) as caught:
        parse_law(text, "xx.toml")

    assert caught.value.file == "xx.toml"
    assert caught.value.problems[0] == problem


def test_law_file_that_is_no_toml_is_refused() -> None:
    with pytest.raises(DataFileError) as caught:
        parse_law("= nothing", "xx.toml")

    assert caught.value.file == "xx.toml"


def test_unconfirmed_rules_of_a_regime_are_listed() -> None:
    regime = default_catalogue().regime("UK-ENG", date(2026, 9, 1))

    assert [rule.article for rule in regime.unconfirmed] == [
        "without undue delay, Art 12(3) UK GDPR",
        "s.164A DPA 2018",
    ]


def test_two_laws_may_not_claim_one_code() -> None:
    law = parse_law(LAW, "xx.toml")

    with pytest.raises(DataFileError, match=r"^xx-law: XX is already given by xx-law$"):
        catalogue_of((law, law))


def test_package_of_a_stranger_adds_a_regime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "stranger_regimes"
    package.mkdir()
    (package / "__init__.py").write_text("", encoding="utf-8")
    (package / "xx.toml").write_text(LAW, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    entry = EntryPoint("stranger", "stranger_regimes", "dsar.regimes")
    monkeypatch.setattr(loader, "entry_points", lambda group: (entry,) if group == "dsar.regimes" else ())

    catalogue = default_catalogue.__wrapped__()

    monkeypatch.delitem(sys.modules, "stranger_regimes")
    assert catalogue.regime("XX", date(2026, 9, 1)).rule_version == "xx-law two"


def test_entry_point_that_is_no_package_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    entry = EntryPoint("odd", "datetime:date", "dsar.regimes")
    monkeypatch.setattr(loader, "entry_points", lambda group: (entry,))

    with pytest.raises(DataFileError, match=r"^odd: datetime:date is not a package with law files$"):
        default_catalogue.__wrapped__()


def test_own_law_files_are_read_in_order_of_names() -> None:
    laws = read_laws(files("cases.deadlines") / "regimes")

    names = [law.law for law in laws]
    assert names == sorted(names)
