"""Exit code 0: shown, or all that was due is done; 1: something could not be forgotten; 2: wrong usage."""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from cases.management.named import USAGE, controllers
from cases.retention import due
from cases.retention.chosen import periods_of
from cases.retention.rules import RULES, Rule
from cases.workflow import retention
from dsar.audit.actions import Action
from dsar.audit.record import OPERATOR, record
from dsar.lib.tenancy import unit_of_work
from identity.models import Controller

FAILED = 1
SITE = "-"


@dataclass(frozen=True)
class Line:
    """One rule of one controller (``-``: of the whole installation): what is due, or what was done."""

    controller: str
    rule: str
    keep: str
    due: int
    oldest: str
    held: int
    rows: int = 0
    files: int = 0
    failed: int = 0

    def __str__(self) -> str:
        head = f"{self.controller:<20} {self.rule:<20} {self.keep:<10}"
        if self.rows or self.files or self.failed:
            failed = f", {self.failed} FAILED" if self.failed else ""
            return f"{head} {self.due:>7} done: {self.rows} rows, {self.files} files{failed}"
        held = f", {self.held} held back" if self.held else ""
        since = f", oldest since {self.oldest}" if self.oldest else ""
        return f"{head} {self.due:>7} due{since}{held}"


class Command(BaseCommand):
    help = (
        "Show what is due to be forgotten by the rules of retention (docs/retention.md), or do it. The desk does it by "
        "itself every night. It may be killed at any time: started again, it goes on with what is left. "
        "Exit code 0: shown, or done; 1: something could not be forgotten; 2: wrong usage."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--controller", metavar="SLUG", help="of this controller alone")
        way = parser.add_mutually_exclusive_group()
        way.add_argument("--dry-run", action="store_true", help="change nothing; so it is without --do too")
        way.add_argument("--do", action="store_true", help="forget what is due")
        parser.add_argument("--as-of", metavar="DATE", help="what is due at the end of that day (2027-01-31)")
        parser.add_argument("--json", action="store_true", help="report as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        now = _moment(options["as_of"], is_for_real=options["do"])
        lines = list(_all(options["controller"], now, is_for_real=options["do"]))
        self.stdout.write(_as_json(lines, now) if options["json"] else _as_text(lines, options["do"]))
        if any(line.failed for line in lines):
            raise SystemExit(FAILED)


def _all(slug: str | None, now: datetime, *, is_for_real: bool) -> Iterator[Line]:
    look = _do if is_for_real else _show
    for controller_id in controllers(slug):
        yield from look(controller_id, now)
    if slug is None:
        yield from _do_site(now) if is_for_real else _show_site(now)


def _show(controller_id: UUID, now: datetime) -> Iterator[Line]:
    with unit_of_work([controller_id]):
        slug, periods = Controller.objects.get(pk=controller_id).slug, periods_of(controller_id)
        for rule in RULES:
            if rule.code in due.QUERIES:
                found = due.tally(rule, periods, controller_id, now)
                yield _line(slug, rule, str(periods.of(rule)), found)


def _show_site(now: datetime) -> Iterator[Line]:
    with unit_of_work([]):
        for rule in RULES:
            if rule.code in retention.OF_SITE:
                yield _line(SITE, rule, str(rule.keep), retention.tally_site(rule, now))


def _line(slug: str, rule: Rule, keep: str, found: due.Tally) -> Line:
    oldest = found.oldest.date().isoformat() if found.oldest else ""
    return Line(slug, rule.code, keep, found.due, oldest, found.held)


def _do(controller_id: UUID, now: datetime) -> Iterator[Line]:
    step = partial(unit_of_work, [controller_id])
    with step():
        slug, periods = Controller.objects.get(pk=controller_id).slug, periods_of(controller_id)
        codes = {"command": "purge"}
        record(Action.COMMAND_RUN, OPERATOR, timezone.now(), controller_id=controller_id, data=codes)
    for rule, done in retention.purge(controller_id, now, step):
        yield _done(slug, rule, str(periods.of(rule)), done)


def _do_site(now: datetime) -> Iterator[Line]:
    for rule, done in retention.purge_site(now):
        yield _done(SITE, rule, str(rule.keep), done)


def _done(slug: str, rule: Rule, keep: str, done: retention.Done) -> Line:
    return Line(slug, rule.code, keep, done.of, "", 0, done.rows, done.files, done.failed)


def _as_json(lines: list[Line], now: datetime) -> str:
    return json.dumps({"as_of": now.isoformat(), "rules": [asdict(line) for line in lines]})


def _as_text(lines: list[Line], is_for_real: bool) -> str:
    told = [str(line) for line in lines if line.due or line.held or line.failed]
    nothing = "Nothing was due." if is_for_real else "Nothing is due."
    return "\n".join(told or [nothing])


def _moment(text: str | None, *, is_for_real: bool) -> datetime:
    """The end of that day, and never later than now where something is done: nothing goes early."""
    now = timezone.now()
    if text is None:
        return now
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise CommandError(f"{text} is no date: write it as 2027-01-31.", returncode=USAGE) from None
    end = datetime.combine(day + timedelta(days=1), time(), UTC)
    if is_for_real and end > now + timedelta(days=1):
        raise CommandError(
            "Nothing is forgotten before its time: --do takes no day to come.", returncode=USAGE
        )
    return min(end, now) if is_for_real else end
