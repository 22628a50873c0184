"""Exit code 0: explained; 2: there is no such request or case."""

import json
from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from cases import queries
from cases.deadlines.deadline import Deadline
from cases.deadlines.steps import Step, cited_sentence, sentence
from cases.models import Case
from cases.words import SUFFIX
from dsar.lib import references
from dsar.lib.tenancy import unit_of_work
from identity.access import all_controllers

USAGE = 2


class Command(BaseCommand):
    help = (
        "Print how the dates of a case come about, step by step. K7QF-2M9D explains every case of the request, "
        "K7QF-2M9D/A that one. Exit code 0: explained; 2: there is no such request or case."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("reference", metavar="REFERENCE", help="of a request or of a case")
        parser.add_argument("--json", action="store_true", help="report as JSON")

    def handle(self, *args: Any, reference: str, **options: Any) -> None:
        with unit_of_work(all_controllers()):
            cases = _cases(reference)
            if not cases:
                raise CommandError(f"There is no {reference}.", returncode=USAGE)
            self.stdout.write(_report(cases, timezone.now(), as_json=options["json"]))


def _cases(typed: str) -> list[Case]:
    """The case named, or all of the request where no suffix says which."""
    try:
        wanted = references.parse_case(typed)
    except references.BadReference as error:
        raise CommandError(str(error), returncode=USAGE) from None
    found = Case.objects.filter(subject_request__reference=wanted.reference)
    cases = found.select_related("controller", "subject_request").order_by("right")
    return [case for case in cases if wanted.suffix in {None, SUFFIX[case.right]}]


def _report(cases: list[Case], now: datetime, *, as_json: bool) -> str:
    explained = [(case, queries.deadline_of(case, now)) for case in cases]
    if as_json:
        return json.dumps([_as_json(case, deadline) for case, deadline in explained], indent=2)
    return "\n\n".join("\n".join(_as_text(case, deadline)) for case, deadline in explained)


def _as_text(case: Case, deadline: Deadline) -> Iterator[str]:
    yield f"{case.reference}  {case.right}, {deadline.regime} ({deadline.rule_version}), {case.state}"
    yield f"Clock: {deadline.state}"
    yield from (f"{name}: {day.isoformat()}" for name, day in _dates(deadline).items() if day)
    yield "Calendar: " + deadline.calendar_version
    yield from (f"{number}. {cited_sentence(step)}" for number, step in enumerate(deadline.steps, 1))


def _as_json(case: Case, deadline: Deadline) -> dict[str, Any]:
    dates = {_key(name): day.isoformat() if day else None for name, day in _dates(deadline).items()}
    return {
        "reference": case.reference,
        "right": case.right,
        "state": case.state,
        "regime": deadline.regime,
        "rules": deadline.rule_version,
        "calendar": deadline.calendar_version,
        "clock": deadline.state.value,
        **dates,
        "steps": [_step(step) for step in deadline.steps],
    }


def _dates(deadline: Deadline) -> dict[str, date | None]:
    return {
        "Due on": deadline.due_on,
        "Counted from receipt": None if deadline.due_on else deadline.shadow_due_on,
        "Cautious date": deadline.safe_due_on,
        "Refusal by": deadline.refusal_by,
        "Extension notice by": deadline.extension_notice_by,
        "Target": deadline.target_on,
    }


def _key(name: str) -> str:
    return name.lower().replace(" ", "_")


def _step(step: Step) -> dict[str, Any]:
    return {
        "code": step.code.value,
        "on": step.on.isoformat() if step.on else None,
        "article": step.article,
        "sentence": sentence(step),
    }
