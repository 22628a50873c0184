"""Write the table of docs/retention.md from the declared rules; with --check, say whether it is stale."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import translation

from cases.retention.rules import RULES, THEN, Rule

BEGIN, END = "<!-- rules: begin -->", "<!-- rules: end -->"
HEAD = "| rule | what | why | how long | then |\n|---|---|---|---|---|"


class Command(BaseCommand):
    help = "Write the table of docs/retention.md from the rules (exit code 1 with --check where it is stale)."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--check", action="store_true", help="write nothing; fail where the table is stale"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        path = settings.BASE_DIR / "docs" / "retention.md"
        present = path.read_text(encoding="utf-8")
        with translation.override("en"):
            text = with_table(present)
        if not options["check"]:
            path.write_text(text, encoding="utf-8")
        elif present != text:
            raise CommandError("docs/retention.md is stale: run manage.py retention_table")


def with_table(text: str) -> str:
    """The page with the table as the rules give it."""
    before, _, rest = text.partition(BEGIN)
    _old, _, after = rest.partition(END)
    rows = "\n".join(_row(rule) for rule in RULES)
    return f"{before}{BEGIN}\n{HEAD}\n{rows}\n{END}{after}"


def _row(rule: Rule) -> str:
    then = ", ".join(str(THEN[one]) for one in rule.then)
    cells = (f"**{rule.name}** `{rule.code}`", rule.what, f"{rule.why} {rule.basis}", _how_long(rule), then)
    return f"| {' | '.join(str(cell) for cell in cells)} |"


def _how_long(rule: Rule) -> str:
    if rule.keep is None:
        return "while it is in use"
    bounds = f"; {rule.least} to {rule.most}" if rule.may_be_chosen else ""
    return f"{rule.keep.words} after {rule.begins}{bounds}"
