"""Exit code 0: every row was computed; 1: some rows could not be read, the others were; 2: wrong usage."""

import csv
import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TextIO

from django.core.management.base import BaseCommand, CommandError, CommandParser

from cases.calendars import overrides_in_force
from cases.deadlines.calendars import Override
from cases.deadlines.deadline import Limit, State
from cases.deadlines.loader import NotInForceError, default_catalogue
from cases.deadlines.notation import STATUS, limit_of, row_of
from cases.deadlines.steps import cited_sentence

COLUMNS = ("id", "regime", "received_on", "events", "right", "deadline_kind")
HEAD = ("id", "due_on", "safe_due_on", "status", "steps")
ERROR = "ERROR"
OVER = "\0over"  # Where csv keeps the cells that no column names; no column can be called so.
BETWEEN = " | "
SOME_UNREADABLE = 1
USAGE = 2


class Command(BaseCommand):
    help = (
        "Compute the dates of the histories in a CSV file and write them as CSV: id, due_on, safe_due_on (where it "
        "is another day), status and steps. A row that cannot be read has the status ERROR and says why in place "
        "of the steps. Exit code 0: all were computed; 1: some could not be read; 2: wrong usage."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "file", metavar="IN.csv", help=f"with the columns {', '.join(COLUMNS)}; - for standard input"
        )

    def handle(self, *args: Any, file: str, **options: Any) -> None:
        try:
            unreadable = self._compute_stdin() if file == "-" else self._compute_file(Path(file))
        except BrokenPipeError:
            _stop_writing()
            return
        if unreadable:
            raise SystemExit(SOME_UNREADABLE)

    def _compute_stdin(self) -> int:
        # Bytes that are no text spoil their own row alone, here as in a file.
        sys.stdin.reconfigure(encoding="utf-8-sig", errors="surrogateescape", newline="")  # type: ignore[union-attr]
        return self._compute(sys.stdin)

    def _compute_file(self, path: Path) -> int:
        with _opened(path) as source:
            return self._compute(source)

    def _compute(self, source: TextIO) -> int:
        """Write a line for each row as it is read; returns how many could not be."""
        rows = csv.DictReader(source, restkey=OVER)
        _check_columns(_head(rows))
        written = csv.writer(self.stdout, lineterminator="\n")
        written.writerow(HEAD)
        overrides, unreadable = overrides_in_force(), 0
        for cells in _each(rows):
            line = _line(cells, overrides)
            written.writerow(line)
            unreadable += line[3] == ERROR
        return unreadable


def _opened(path: Path) -> TextIO:
    try:
        return path.open(encoding="utf-8-sig", errors="surrogateescape", newline="")
    except OSError as error:
        raise CommandError(f"{path} cannot be read: {error.strerror}.", returncode=USAGE) from None


def _stop_writing() -> None:
    """Whoever read has seen enough: what is still to be written has nowhere to go."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _head(rows: "csv.DictReader[str]") -> list[str]:
    try:
        return list(rows.fieldnames or [])
    except csv.Error as error:
        raise CommandError(f"The file is no CSV: {error}.", returncode=USAGE) from None


def _check_columns(names: list[str]) -> None:
    if not all(map(_is_text, names)) or any("\0" in name for name in names):
        raise CommandError("The file is not UTF-8 text.", returncode=USAGE)
    missing = [name for name in COLUMNS if name not in names]
    if missing:
        raise CommandError(f"The file has no column {', '.join(missing)}.", returncode=USAGE)


def _each(rows: "csv.DictReader[str]") -> Iterator[Mapping[str, str | None] | csv.Error]:
    """Rows one after the other; one that is no CSV comes as its error."""
    while True:
        try:
            yield next(rows)
        except StopIteration:
            return
        except csv.Error as error:
            yield error


def _line(cells: Mapping[str, str | None] | csv.Error, overrides: tuple[Override, ...]) -> tuple[str, ...]:
    if isinstance(cells, csv.Error):
        return ("", "", "", ERROR, f"no CSV: {cells}")
    shown = _plain(cells.get("id") or "")
    try:
        _check_cells(cells)
        limit, _deadline = limit_of(row_of(cells), default_catalogue(), overrides=overrides)
    except NotInForceError as error:
        return (shown, "", "", STATUS[State.NOT_APPLICABLE], str(error))
    except (ValueError, LookupError) as error:
        return (shown, "", "", ERROR, _plain(str(error)))
    except OverflowError:
        return (shown, "", "", ERROR, "a date lies beyond the calendar")
    return (shown, *_dates(limit), STATUS[limit.state], BETWEEN.join(map(cited_sentence, limit.steps)))


def _check_cells(cells: Mapping[str, str | None]) -> None:
    read = [cells.get(name) or "" for name in COLUMNS]
    if not all(map(_is_text, read)):
        raise ValueError("not UTF-8 text")
    if any(cells.get(OVER) or ""):
        raise ValueError("more cells than columns")


def _dates(limit: Limit) -> tuple[str, str]:
    """The date, and the cautious one where it is another; without a running clock it is the one to go by."""
    due, safe = (day.isoformat() if day else "" for day in (limit.due_on, limit.safe_due_on))
    return due, safe if safe != due else ""


def _is_text(value: str) -> bool:
    return not any("\udc80" <= character <= "\udcff" for character in value)


def _plain(value: str) -> str:
    """What can be written: bytes that are no text are replaced."""
    return value.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
