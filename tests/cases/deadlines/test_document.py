"""docs/deadlines.md says what the law files and the engine say."""

from __future__ import annotations

from pathlib import Path

import pytest

from cases.deadlines import document
from cases.deadlines.document import TABLES, TARGET, laws, main, names, written
from cases.deadlines.rules import cited_rules

STALE = "Run: python -m cases.deadlines.document"


def page() -> str:
    return TARGET.read_text(encoding="utf-8")


def test_page_is_what_the_law_files_say() -> None:
    assert written(page()) == page(), STALE


def test_page_has_every_table_once() -> None:
    assert sorted(names(page())) == sorted(TABLES)


def test_page_names_every_law_place_version_and_source() -> None:
    text = page()

    wanted = {
        *(law.name for law in laws()),
        *(f"`{place.code}`" for law in laws() for place in law.places),
        *(f"Version {version.version}" for law in laws() for version in law.versions),
        *(source for law in laws() for source in law.sources.values()),
        *(rule.article for law in laws() for rule in cited_rules(law)),
    }
    assert sorted(one for one in wanted if one not in text) == []


def test_every_rule_that_nobody_confirmed_is_marked() -> None:
    """In the law's own table each has its row; house numbers are marked there and listed nowhere else."""
    marked = page().count("| **no** |")

    assert marked == sum(rule.unconfirmed for law in laws() for rule in cited_rules(law))


def test_changed_rule_makes_the_page_stale(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    copy = tmp_path / "deadlines.md"
    copy.write_text(page().replace("| 1 month |", "| 2 months |"), encoding="utf-8")
    monkeypatch.setattr(document, "TARGET", copy)

    codes = [main(["--check"]), main([]), main(["--check"])]

    assert (codes, copy.read_text(encoding="utf-8")) == ([1, 0, 0], page())


def test_prose_says_the_number_of_days_that_every_gdpr_version_has() -> None:
    versions = [version for law in laws() if law.law in ("uk-gdpr", "eu-gdpr") for version in law.versions]

    assert {version.prompt.within_days for version in versions} == {14}
    assert "fourteen days, unless somebody records a decision" in page()
