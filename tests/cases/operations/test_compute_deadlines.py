"""Histories in, dates with reasons out, on the command line."""

import csv
import subprocess
import sys
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

ROOT = Path(__file__).parents[3]
BY_HAND = ROOT / "tests" / "cases" / "deadlines" / "hand_worked.csv"
VECTORS = ROOT.parent / "shared" / "reference" / "deadline_vectors.csv"
HEAD = "id,regime,received_on,events,right,deadline_kind"
PLAIN = "A,UK-ENG,2026-09-01,,access,response"


def computed(path: Path) -> tuple[int, list[dict[str, str]]]:
    out, code = StringIO(), 0
    try:
        call_command("compute_deadlines", str(path), stdout=out)
    except SystemExit as ended:
        code = int(ended.code or 0)
    return code, list(csv.DictReader(StringIO(out.getvalue())))


@pytest.fixture
def written(tmp_path: Path) -> Any:
    def write(*lines: str | bytes) -> Path:
        path = tmp_path / "in.csv"
        path.write_bytes(
            b"".join((line.encode() if isinstance(line, str) else line) + b"\n" for line in lines)
        )
        return path

    return write


def test_row_gives_date_status_and_cited_steps(written):
    code, rows = computed(written(HEAD, PLAIN))

    steps = rows[0].pop("steps").split(" | ")
    assert (code, rows) == (0, [{"id": "A", "due_on": "2026-10-01", "safe_due_on": "", "status": "DUE"}])
    assert [("calendar holidays" in step, "rules uk-gdpr 2026-02-05" in step) for step in steps] == [
        (True, True),
        (True, True),
    ]


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (
            "B,UK-ENG,2026-06-01,identity_requested=2026-06-02,access,response",
            ("", "2026-07-01", "NOT_STARTED"),
        ),
        (
            "C,UK-ENG,2026-06-01,clarification_requested=2026-06-02,access,response",
            ("", "2026-07-01", "PAUSED"),
        ),
        ("D,EU-DE,2026-06-01,,complaint,complaint_ack", ("", "", "NOT_APPLICABLE")),
        (
            "E,UK-ENG,2026-09-01,clarification_requested=2026-09-07;clarification_received=2026-09-14,access,response",
            ("2026-10-09", "2026-10-08", "DUE"),
        ),
    ],
)
def test_status_says_how_the_clock_stands(written, row, expected):
    code, rows = computed(written(HEAD, row))

    assert code == 0
    assert (rows[0]["due_on"], rows[0]["safe_due_on"], rows[0]["status"]) == expected


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("B,UK-XXX,2026-09-01,,access,response", "unknown regime 'UK-XXX'"),
        ("B,EU-DE/XX,2026-09-01,,access,response", "no calendar DE/XX"),
        ("B,UK-ENG,2026-02-30,,access,response", "not a day: '2026-02-30'"),
        ("B,UK-ENG,,,access,response", "no received_on"),
        ("B,UK-ENG,2026-09-01,identity,access,response", "not name=value: 'identity'"),
        ("B,UK-ENG,2026-09-01,birthday=2026-09-02,access,response", "unknown name 'birthday'"),
        ("B,UK-ENG,2026-09-01,,marriage,response", "unknown right 'marriage'"),
        ("B,UK-ENG,2026-09-01,,access,lunch", "unknown deadline_kind 'lunch'"),
        ("B,UK-ENG,9999-12-31,,access,response", "year 10000 is out of range"),
        ("B,UK-ENG,2026-09-01,,access,response,and,more", "more cells than columns"),
        ("B", "no regime"),
        (b"B,UK-ENG,2026-09-01,note=\xff,access,response", "not UTF-8 text"),
    ],
)
def test_unreadable_row_gets_an_error_in_its_place_and_the_others_their_dates(written, row, words):
    code, rows = computed(written(HEAD, PLAIN, row, PLAIN.replace("A", "Z", 1)))

    assert code == 1
    assert [line["id"] for line in rows] == ["A", "B", "Z"]
    assert [line["status"] for line in rows] == ["DUE", "ERROR", "DUE"]
    assert rows[1] | {"id": ""} == {
        "id": "",
        "due_on": "",
        "safe_due_on": "",
        "status": "ERROR",
        "steps": words,
    }


@pytest.mark.parametrize("row", ["IN,2026-09-01", "UK-ENG,2017-09-01"])
def test_law_that_is_not_in_force_does_not_apply(written, row):
    code, rows = computed(written(HEAD, f"A,{row},,access,response"))

    assert (code, rows[0]["status"], rows[0]["due_on"]) == (0, "NOT_APPLICABLE", "")
    assert "no version in force" in rows[0]["steps"]


def test_other_columns_in_any_order_are_left_aside(written):
    code, rows = computed(
        written(
            "note,deadline_kind,right,events,received_on,regime,id", "x,response,access,,2026-09-01,UK-ENG,A"
        )
    )

    assert (code, rows[0]["due_on"]) == (0, "2026-10-01")


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ((HEAD.replace(",right", ""), PLAIN), "no column right"),
        (("",), "no column id, regime, received_on, events, right, deadline_kind"),
        ((HEAD.encode("utf-16"), PLAIN.encode("utf-16")), "not UTF-8 text"),
    ],
)
def test_file_of_another_kind_is_wrong_usage(written, lines, words):
    with pytest.raises(CommandError, match=words) as refused:
        computed(written(*lines))

    assert refused.value.returncode == 2


def test_file_that_is_not_there_is_wrong_usage(tmp_path):
    with pytest.raises(CommandError, match="cannot be read") as refused:
        computed(tmp_path / "none.csv")

    assert refused.value.returncode == 2


def test_local_days_reach_the_command(written, settings, tmp_path):
    days = tmp_path / "days.toml"
    days.write_text(
        'format = 1\n[[days]]\non = 2026-10-01\nkind = "holiday"\nname = "Day"\ncalendars = ["GB"]\nsource = "us"\n'
    )
    settings.CALENDAR_OVERRIDES = days

    code, rows = computed(written(HEAD, PLAIN, PLAIN.replace("UK-ENG", "EU-DE")))

    assert (code, [row["due_on"] for row in rows]) == (0, ["2026-10-02", "2026-10-01"])


def test_rows_worked_by_hand_come_out_of_the_command(tmp_path):
    with BY_HAND.open(encoding="utf-8", newline="") as file:
        known = list(csv.DictReader(file))
    path = tmp_path / "by_hand.csv"
    path.write_text(BY_HAND.read_text(encoding="utf-8").replace("name,", "id,", 1), encoding="utf-8")

    code, rows = computed(path)

    assert code == 0
    assert [(row["due_on"] or row["status"]) for row in rows] == [row["expected_due_on"] for row in known]


@pytest.mark.skipif(not VECTORS.exists(), reason="the vectors file is not beside the project")
def test_every_vector_comes_out_of_the_command():
    with VECTORS.open(encoding="utf-8", newline="") as file:
        known = list(csv.DictReader(file))

    code, rows = computed(VECTORS)

    assert code == 0
    assert [(row["id"], row["due_on"] or row["status"]) for row in rows] == [
        (row["id"], row["expected_due_on"]) for row in known
    ]
    assert [row["safe_due_on"] or row["due_on"] for row in rows if row["status"] == "DUE"] == [
        row["safe_due_on"] or row["expected_due_on"] for row in known if row["expected_due_on"][:2] == "20"
    ]


def test_standard_input_is_read_and_the_process_says_what_it_found(written):
    path = written("\ufeff" + HEAD, PLAIN, "B,UK-XXX,2026-09-01,,access,response")

    with path.open("rb") as source:
        ended = subprocess.run(
            [sys.executable, "manage.py", "compute_deadlines", "-"],
            stdin=source,
            capture_output=True,
            cwd=ROOT,
            check=False,
        )

    lines = list(csv.DictReader(StringIO(ended.stdout.decode())))
    assert (ended.returncode, [line["status"] for line in lines]) == (1, ["DUE", "ERROR"])


def test_reader_who_has_seen_enough_is_no_error(written):
    path = written(HEAD, *[PLAIN] * 1000)

    with subprocess.Popen(
        [sys.executable, "manage.py", "compute_deadlines", str(path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=ROOT,
    ) as running:
        head = running.stdout.readline()
        running.stdout.close()
        told = running.stderr.read()

    assert (running.returncode, head, told) == (0, b"id,due_on,safe_due_on,status,steps\n", b"")
