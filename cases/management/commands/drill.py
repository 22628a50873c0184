"""Exit code 0: answered, or planned where a source would be changed; 1: the drill got stuck.

2: wrong usage; 3: refused, and on the record.
"""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from cases.operations.drill import (
    RIGHTS,
    DrillRefused,
    DrillStuck,
    Patience,
    Report,
    UnknownController,
    rehearse,
)
from cases.operations.drill_changes import CHANGING, Changes, Wish
from cases.words import Right
from cases.workflow.intake import Person

STUCK = 1
USAGE = 2
REFUSED = 3


class Command(BaseCommand):
    help = (
        "Rehearse one request from the log to the answer, on test systems or for test persons (docs/apply.md). "
        "What would change a source ends with the plan, tried out by reading; --execute carries it out, on test "
        "systems alone. "
        "Nobody is written to, and no statistic counts it. "
        "Exit code 0: answered; 1: it got stuck; 2: wrong usage; 3: refused, and on the record."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--controller", required=True, metavar="SLUG")
        parser.add_argument("--right", required=True, choices=[right.value for right in RIGHTS])
        parser.add_argument("--email", required=True)
        parser.add_argument("--phone", default="")
        parser.add_argument("--external-id", default="", metavar="NUMBER", help="customer number")
        parser.add_argument("--name", default="")
        parser.add_argument(
            "--out", required=True, type=Path, metavar="DIR", help="where the answer's files go"
        )
        parser.add_argument(
            "--set",
            action="append",
            default=[],
            metavar="FIELD=VALUE",
            dest="values",
            help="for a rectification: what is right; repeatable",
        )
        parser.add_argument(
            "--execute",
            action="store_true",
            help="carry the plan out; only on sources marked as test systems",
        )
        parser.add_argument("--json", action="store_true", help="report as JSON")
        parser.add_argument("--in-process", action="store_true", help="do the work here, without a worker")
        parser.add_argument(
            "--wait", type=float, default=120, metavar="SECONDS", help="for each of search and answer (120)"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            report = _rehearse(options, _wish(options))
        except UnknownController:
            raise CommandError(f"There is no controller {options['controller']}.", returncode=USAGE) from None
        except DrillRefused as refused:
            raise CommandError(f"Refused: {refused} ({refused.code})", returncode=REFUSED) from None
        except DrillStuck as stuck:
            self._say(stuck.report, options["json"])
            raise CommandError(str(stuck), returncode=STUCK) from None
        self._say(report, options["json"])

    def _say(self, report: Report, as_json: bool) -> None:
        self.stdout.write(
            json.dumps(asdict(report), indent=2, ensure_ascii=False) if as_json else _as_text(report)
        )


def _wish(options: dict[str, Any]) -> Wish:
    """What is to be changed, and whether it is. Raises CommandError for what does not go with the right."""
    right, values = Right(options["right"]), dict(_pair(text) for text in options["values"])
    if values and right != Right.RECTIFICATION:
        raise CommandError("--set goes with --right rectification alone.", returncode=USAGE)
    if right == Right.RECTIFICATION and not values:
        raise CommandError("Say what is right: --set FIELD=VALUE.", returncode=USAGE)
    if options["execute"] and right not in CHANGING:
        raise CommandError("--execute goes with rights that change a source.", returncode=USAGE)
    return Wish(values, options["execute"])


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name.strip():
        raise CommandError(f"“{text}” is not FIELD=VALUE.", returncode=USAGE)
    return name.strip(), value.strip()


def _rehearse(options: dict[str, Any], wish: Wish) -> Report:
    person = Person(
        name=options["name"],
        email=options["email"],
        phone=options["phone"],
        external_id=options["external_id"],
    )
    patience = Patience(options["wait"], options["in_process"])
    return rehearse(options["controller"], Right(options["right"]), person, options["out"], patience, wish)


def _as_text(report: Report) -> str:
    lines = [f"{report.reference}  {report.state} {report.outcome}".rstrip(), f"due on {report.due_on}"]
    lines += [f"{step.at}  {step.state}" for step in report.history]
    for source in report.sources:
        counts = ", ".join(f"{name} {count}" for name, count in source.collections.items())
        lines.append(
            f"{source.source}: {source.state}, {source.found} found ({counts or 'nothing'}) {source.error}".rstrip()
        )
    lines.append(
        ", ".join(f"{name} {count}" for name, count in report.decisions.items() if count) or "nothing decided"
    )
    lines += _of_changes(report.changes) if report.changes else []
    lines += [f"{file.path}  {file.size} bytes" for file in report.files]
    return "\n".join([*lines, f"{report.seconds} seconds"])


def _of_changes(told: Changes) -> list[str]:
    """The plan by treatment, what stands in its way, and what became of it."""
    head = "carried out" if told.is_executed else "dry run: nothing was written"
    lines = [f"plan {told.stage or 'none'}, {head}"]
    for line in told.lines:
        why = " ".join(part for part in (line.code, f"({line.rule})" if line.rule else "") if part)
        hand = " by hand" if line.by_hand else ""
        lines.append(f"{line.source}: {line.collection} {line.treatment}{hand} {line.count} {why}".rstrip())
    lines += [f"{one.source}: {one.collection} refused, {one.obstacle} {one.count}" for one in told.refusals]
    lines += [f"{place}: value refused, {code}" for place, code in told.unwritable.items()]
    if told.receipts:
        lines.append("receipts: " + ", ".join(f"{state} {count}" for state, count in told.receipts.items()))
    lines += [f"{one.source}: left at {one.where} ({one.remains})" for one in told.leftovers]
    return lines
