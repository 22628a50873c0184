"""The tutorial of docs/connectors.md, carried out: its code is taken from the page, installed, found and tried."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from cases.connectors import registry
from cases.connectors.base import HoldsBlobs, Setup
from cases.connectors.changes import ChangesRecords
from cases.operations import schema

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "connectors.md").read_text(encoding="utf-8")
KEPT = Path(__file__).with_name("tutorial")
BLOCK = re.compile(r"<!-- file: (\S+) -->\n```\w+\n(.*?)\n```", re.DOTALL)
QUOTED = re.compile(r"```\n(helpdesk\..*?)\n```", re.DOTALL)


def blocks() -> dict[str, str]:
    """The files that a reader has after pasting every block in order."""
    files: dict[str, list[str]] = {}
    for name, text in BLOCK.findall(PAGE):
        files.setdefault(name, []).append(text)
    return {name: "\n\n".join(parts) + "\n" for name, parts in files.items()}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of installed packages with the tutorial's in it, and what an installer writes beside it."""
    folder = tmp_path_factory.mktemp("site")
    files = blocks()
    for name, text in files.items():
        place = folder / name
        place.parent.mkdir(exist_ok=True)
        place.write_text(text, encoding="utf-8")
    project = tomllib.loads(files["pyproject.toml"])["project"]
    info = folder / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n"
    )
    points = "".join(
        f"{key} = {value}\n" for key, value in project["entry-points"]["dsar.connectors"].items()
    )
    (info / "entry_points.txt").write_text(f"[dsar.connectors]\n{points}")
    return folder


@pytest.fixture
def installed(site: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.syspath_prepend(str(site))
    registry._offered.cache_clear()
    yield
    registry._offered.cache_clear()
    for name in [name for name in sys.modules if name.partition(".")[0] == "helpdesk"]:
        del sys.modules[name]


def run(site: Path, *arguments: str) -> tuple[int, str]:
    """The exit code and words of a Python that finds the package and the desk, and knows no settings."""
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("DJANGO", "DATABASE"))
    }
    path = os.pathsep.join([str(site), str(ROOT)])
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=site,
        env={**environment, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def uncounted(line: str) -> str:
    """A line of the report without the number of its tests, which grows."""
    return re.sub(r" *\d+ tests?$", "", line)


def squeezed(text: str) -> str:
    return re.sub(r"\n{2,}", "\n\n", text)


def test_code_of_the_page_is_the_code_that_is_kept() -> None:
    kept = {
        str(place.relative_to(KEPT)): squeezed(place.read_text(encoding="utf-8"))
        for place in KEPT.rglob("*")
        if place.suffix in {".py", ".toml"}
    }

    assert {name: squeezed(text) for name, text in blocks().items()} == kept


def test_reader_of_the_page_passes_all_points(site: Path) -> None:
    code, words = run(site, "-m", "cases.connectors.conformance", "helpdesk.test_conformance")

    (quoted,) = [text for text in QUOTED.findall(PAGE) if text.startswith("helpdesk.changing")]
    assert (code, words.splitlines()[0]) == (0, quoted)


def test_reader_sees_what_the_page_shows_half_way(site: Path) -> None:
    half = ("--connector", "helpdesk.reading:ReadingHelpDesk")

    code, words = run(site, "-m", "cases.connectors.conformance", "helpdesk.test_conformance", *half)

    (quoted,) = [text for text in QUOTED.findall(PAGE) if text.startswith("helpdesk.reading")]
    shown = [uncounted(line) for line in quoted.splitlines() if "…" not in line]
    told = [uncounted(line) for line in words.splitlines()]
    assert code == 0
    assert [line for line in shown if line not in told] == []


def test_package_is_found_by_its_entry_point_and_runs_the_kit(site: Path) -> None:
    points = ("--point", "1", "--point", "10")

    code, words = run(
        site,
        "-m",
        "cases.connectors.conformance",
        "helpdesk.test_conformance",
        "--connector",
        "helpdesk",
        *points,
    )

    assert (code, words.splitlines()[0]) == (0, "helpdesk: 2 of 15 points shown, 0 in part, 0 failed")


def test_package_runs_the_kit_by_pytest(site: Path) -> None:
    code, words = run(
        site,
        "-m",
        "pytest",
        "--pyargs",
        "helpdesk.test_conformance",
        "-q",
        "-k",
        "test_04",
        "-p",
        "no:cacheprovider",
    )

    assert code == 0, words
    assert "5 passed" in words


def test_installed_connector_is_offered_and_keeps_every_part_of_the_contract(installed: None) -> None:
    connector = registry.get("helpdesk")

    assert registry.available() == tuple(sorted(["helpdesk", *registry.BUILT_IN]))
    assert (connector.label, [option.name for option in connector.options()]) == (
        "Practice help desk",
        ["base_url", "network", "timeout_seconds", "page_size", "token"],
    )
    settings = {"base_url": "https://desk.example.com"}
    made = registry.build("helpdesk", settings, {"token": "t"})
    assert isinstance(made, HoldsBlobs)
    assert isinstance(made, ChangesRecords)


def test_installed_connector_can_be_applied(installed: None) -> None:
    stated = {"slug": "helpdesk", "name": "Help desk", "connector": "helpdesk"}

    read = schema.Source.model_validate(stated)

    assert read.connector == "helpdesk"


def test_connector_that_only_reads_is_known_by_what_it_lacks(installed: None) -> None:
    reading = registry.load("helpdesk.reading:ReadingHelpDesk")

    setup = Setup({"base_url": "https://desk.example.com"}, {"token": "t"})
    assert not isinstance(reading.create(setup), ChangesRecords)
