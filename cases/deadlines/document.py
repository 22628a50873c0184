"""Write the tables of ``docs/deadlines.md`` anew from the law files: ``python -m cases.deadlines.document``.

The prose between them is written by hand. A table stands between two marks; what is between them is made from the
regime files and from the engine itself, and a test says when it is stale. ``--check`` changes nothing and ends with 1
where something is.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable, Iterator
from datetime import date
from importlib.resources import files
from pathlib import Path

from cases.deadlines.engine import State
from cases.deadlines.events import FeeBasis, Right, Subject
from cases.deadlines.loader import Catalogue, catalogue_of, read_laws
from cases.deadlines.notation import STATUS, Row, limit_of
from cases.deadlines.rules import (
    CautiousPause,
    CautiousReset,
    Cited,
    ClockKind,
    CountFrom,
    ExtensionRule,
    Law,
    Length,
    Origin,
    PauseCount,
    PauseRule,
    Place,
    PromptRule,
    ReceiptRule,
    RefusalRule,
    ResetRule,
    RollRule,
    SideClock,
    TargetRule,
    Version,
    cited_rules,
    rules_of,
)

_FIRST = ("uk-gdpr", "eu-gdpr")
# What the house set because no law gives a number: nobody can confirm it.
_OWN = "POLICY"

TARGET = Path(__file__).resolve().parents[2] / "docs" / "deadlines.md"
_BLOCK = re.compile(r"(<!-- begin (?P<name>[\w-]+)[^>]*-->\n).*?(<!-- end -->)", re.DOTALL)


def laws() -> tuple[Law, ...]:
    """Our own law files, the two GDPRs first; what somebody installed beside them is no part of this page."""
    found = read_laws(files("cases.deadlines") / "regimes")
    return tuple(sorted(found, key=lambda law: (law.law not in _FIRST, law.law not in _FIRST[:1], law.law)))


def written(text: str) -> str:
    """The page with each marked table as it should be. Raises KeyError for a mark that nobody knows."""
    return _BLOCK.sub(lambda block: f"{block[1]}\n{TABLES[block['name']]()}\n{block[3]}", text)


def table(heads: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    lines = [list(heads), ["---"] * len(list(heads)), *rows]
    return "".join(f"| {' | '.join(_cell(cell) for cell in line)} |\n" for line in lines)


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())


def _mark(rule: Cited) -> str:
    return "**no**" if rule.unconfirmed else "yes"


# -- what a rule says ------------------------------------------------------------------------------------


def _number(count: int, unit: str) -> str:
    return f"{count} {unit}" if count == 1 else f"{count} {unit}s"


def _span(length: Length | ExtensionRule) -> str:
    working = getattr(length, "working_days", 0)
    for count, unit in ((length.months, "month"), (length.days, "day"), (working, "working day")):
        if count:
            return _number(count, unit)
    return "a date that the notice names"


def _rights(rights: tuple[Right, ...]) -> str:
    return f" ({', '.join(right.value.replace('_', ' ') for right in rights)})" if rights else ""


def _receipt(rule: ReceiptRule) -> str:
    first = "the day after receipt" if rule.count_from is CountFrom.NEXT_DAY else "the day of receipt"
    return f"counted from {first}, by the controller's clock"


def _period(rule: Length) -> str:
    return f"{_span(rule)}{_rights(rule.rights)}"


_SAFE_RESET = {
    CautiousReset.COUNTS: "so does the cautious date",
    CautiousReset.FIRST_PROMPT: "the cautious date follows the first question alone, asked without undue delay",
    CautiousReset.IGNORED: "the cautious date does not follow",
}


def _reset(rule: ResetRule) -> str:
    bases = f" ({' or '.join(_BASES[basis] for basis in rule.fee_bases)})" if rule.fee_bases else ""
    return f"starts when {_AWAITED[rule.subject]}{bases} has come in; {_SAFE_RESET[rule.cautious]}"


_AWAITED = {
    Subject.IDENTITY: "identity information that was asked for",
    Subject.AUTHORITY: "evidence of authority that was asked for",
    Subject.CLARIFICATION: "the clarification",
    Subject.FEE: "the fee",
}
_BASES = {
    FeeBasis.UNFOUNDED: "for a manifestly unfounded request",
    FeeBasis.EXCESSIVE: "an excessive one",
    FeeBasis.FURTHER_COPIES: "further copies",
    FeeBasis.OTHER: "anything else",
}


def _pause(rule: PauseRule) -> str:
    """UK days have both ends; those of the guidance begin after the day of asking."""
    both = rule.count is PauseCount.ASKED_AND_REPLY
    days = "from the day asked" if both else "from the day after the question"
    needs = ["asked without undue delay"] * rule.must_be_prompt + [
        "large quantity of data"
    ] * rule.needs_large_quantity
    basis = "statute" if rule.statutory else "guidance alone"
    safe = "a day less" if rule.cautious is CautiousPause.ONE_DAY_LESS else "none of them"
    told = f"{rule.subject.value}{_rights(rule.rights)}: days {days} to the day of the reply do not count"
    return f"{told} ({'; '.join([basis, *needs])}); cautious date: {safe}"


def _prompt(rule: PromptRule) -> str:
    return (
        f"within {_number(rule.within_days, 'day')} counts as without undue delay, unless recorded otherwise; "
        f"our own aim is {_number(rule.target_working_days, 'working day')}"
    )


def _extension(rule: ExtensionRule) -> str:
    origin = "receipt" if rule.counted_from is Origin.RECEIPT else "the start"
    notice = (
        "the first period counted from receipt" if rule.notice_from is Origin.RECEIPT else "the first period"
    )
    pauses = "with the days of a pause" if rule.adds_pauses else "without the days of a pause"
    reasons = ", ".join(reason.value.replace("_", " ") for reason in rule.reasons)
    return (
        f"{_span(rule)} from {origin}{_rights(rule.rights)}, {pauses}; notice before the end of {notice}; "
        f"reasons: {reasons}"
    )


def _refusal(rule: RefusalRule) -> str:
    origin = "receipt" if rule.counted_from is Origin.RECEIPT else "the start"
    moves = "an extension moves it" if rule.follows_extension else "an extension does not move it"
    return f"before the period from {origin} ends; {moves}"


def _roll(rule: RollRule) -> str:
    return "to the end of the next working day" if rule.rolls else "an end on a day off stays"


def _target(rule: TargetRule) -> str:
    return f"{_number(rule.days, 'day')} after the start, never after the cautious date"


def _clock(rule: SideClock) -> str:
    until = f" to {rule.valid_to}" if rule.valid_to else ""
    rolls = ", rolled" if rule.rolls else ""
    safe = f"; cautious: {_number(rule.cautious_days, 'day')}" if rule.cautious_days else ""
    return (
        f"{_span(rule)}{_rights(rule.rights)}{rolls}, for what comes in from {rule.valid_from}{until}{safe}"
    )


_CLOCKS = {
    ClockKind.ACKNOWLEDGEMENT: "acknowledgement",
    ClockKind.COMPLAINT_ACK: "acknowledging a complaint",
    ClockKind.COMPLAINT_RESPONSE: "answering a complaint",
    ClockKind.APPEAL: "answering an appeal",
}


def _told(rule: Cited) -> tuple[str, str]:
    """What a rule is about, and what it says."""
    if isinstance(rule, SideClock):
        return _CLOCKS[rule.kind], _clock(rule)
    for kind, about, tell in _TELLERS:
        if isinstance(rule, kind):
            return about, tell(rule)
    raise TypeError(f"{type(rule).__name__} has no words")


_TELLERS: tuple[tuple[type[Cited], str, Callable[..., str]], ...] = (
    (ReceiptRule, "receipt", _receipt),
    (ResetRule, "start", _reset),
    (PauseRule, "pause", _pause),
    (PromptRule, "a question in time", _prompt),
    (ExtensionRule, "extension", _extension),
    (RefusalRule, "refusal", _refusal),
    (RollRule, "day off", _roll),
    (TargetRule, "own target", _target),
    (Length, "period", _period),
)

# -- the tables ------------------------------------------------------------------------------------------


def _overview() -> str:
    heads = (
        "Law",
        "Places",
        "Period",
        "Day off",
        "Extension",
        "Pauses, moved starts",
        "Beside it",
        "Confirmed",
    )
    return table(heads, [_law_in_short(law) for law in laws()])


def _law_in_short(law: Law) -> list[str]:
    newest = max(law.versions, key=lambda version: version.valid_from)
    extension = newest.extension
    whole = _whole(extension) if extension else "–"
    asked = [*(f"start: {rule.subject.value}" for rule in newest.resets)]
    asked += [f"pause: {rule.subject.value}{_rights(rule.rights)}" for rule in newest.pauses]
    beside = [f"{_CLOCKS[clock.kind]}: {_span(clock)}" for clock in law.clocks]
    return [
        f"{law.name} (`{law.law}` {newest.version})",
        _places_in_short(law),
        "; ".join(_period(period) for period in newest.periods) or "no number of days",
        "moves" if newest.roll.rolls else "stays",
        whole,
        "; ".join(asked) or "–",
        "; ".join(beside) or "–",
        _how_sure(rules_of(newest)),
    ]


def _whole(rule: ExtensionRule) -> str:
    return f"{_span(rule)} in all" if not rule.named_by_controller else _span(rule)


def _places_in_short(law: Law) -> str:
    codes = [f"`{place.code}`" for place in law.places]
    return ", ".join(codes) if len(codes) < 6 else f"{len(codes)} places, {codes[0]} to {codes[-1]}"


def _how_sure(rules: tuple[Cited, ...]) -> str:
    open_ones = sum(rule.unconfirmed for rule in rules)
    return "yes" if not open_ones else f"{len(rules) - open_ones} of {len(rules)} rules"


def _rules_of(name: str) -> Callable[[], str]:
    def tell() -> str:
        law = next(law for law in laws() if law.law == name)
        parts = [_version(version) for version in sorted(law.versions, key=_begins, reverse=True)]
        if law.clocks:
            parts.append(f"Beside the answer:\n\n{_rule_table(law.clocks)}")
        return "\n".join(parts)

    return tell


def _begins(version: Version) -> date:
    return version.valid_from


def _version(version: Version) -> str:
    until = f"to {version.valid_to}" if version.valid_to else "on"
    note = f" {version.note}" if version.note else ""
    head = f"**Version {version.version}**, for requests received from {version.valid_from} {until}.{note}"
    return f"{head}\n\n{_rule_table(rules_of(version))}"


def _rule_table(rules: Iterable[Cited]) -> str:
    rows = [[*_told(rule), rule.article, rule.source, _mark(rule), rule.note] for rule in rules]
    return table(("About", "Rule", "Article", "Source", "Confirmed", "Note"), rows)


def _others() -> str:
    rest = [law for law in laws() if law.law not in _FIRST]
    return "\n".join(f"### {law.name}: {_places_in_short(law)}\n\n{_rules_of(law.law)()}" for law in rest)


def _sources() -> str:
    rows = [[law.name, code, text] for law in laws() for code, text in law.sources.items()]
    return table(("Law", "Source", "What it is"), rows)


def _unconfirmed() -> str:
    rows: dict[tuple[str, ...], None] = {}
    for law in laws():
        for rule in cited_rules(law):
            if rule.unconfirmed and rule.source != _OWN:
                rows[law.name, *_told(rule), rule.article, law.sources[rule.source]] = None
    return table(("Law", "About", "Rule", "Article", "What it rests on"), rows)


def _calendars() -> str:
    places = [place for law in laws() for place in law.places]
    return table(
        ("Place", "Name", "Time zone", "Calendar", "Left out", "Doubted", "Note"), map(_place, places)
    )


def _place(place: Place) -> list[str]:
    data = place.calendar
    recess = f" and from {data.recess_from} to {data.recess_to}" if data.recess_from else ""
    calendar = f"{data.country}/{data.subdivision}" if data.subdivision else data.country
    since = f"from {place.valid_from}. " if place.valid_from else ""
    return [
        f"`{place.code}`",
        place.name,
        place.zone,
        f"{calendar}{recess}",
        ", ".join(data.ignored),
        ", ".join(data.doubtful),
        f"{since}{place.note}",
    ]


# -- worked examples, by the engine itself ---------------------------------------------------------------

_EXAMPLES: tuple[tuple[str, Row], ...] = (
    ("The same day number a month later", Row("UK-ENG", date(2026, 9, 2))),
    ("No such day in the month: its last day, here a Sunday, so Monday", Row("UK-ENG", date(2027, 1, 31))),
    ("The end of February does not stick", Row("UK-ENG", date(2028, 2, 29))),
    ("Easter Monday is no holiday in Scotland", Row("UK-SCT", date(2026, 3, 6))),
    ("… and is one in England", Row("UK-ENG", date(2026, 3, 6))),
    (
        "Identity asked on the 3rd, its proof in on the 9th: that day starts the month",
        Row("UK-ENG", date(2026, 9, 1), "identity_requested=2026-09-03;identity_received=2026-09-09"),
    ),
    ("… not yet in", Row("UK-ENG", date(2026, 9, 1), "identity_requested=2026-09-03")),
    (
        "… asked without reasonable doubt",
        Row("UK-ENG", date(2026, 9, 1), "identity_requested=2026-09-03;identity_reasonable=no"),
    ),
    (
        "Clarification of an access request asked on the 7th, answered on the 14th: eight days",
        Row(
            "UK-ENG", date(2026, 9, 1), "clarification_requested=2026-09-07;clarification_received=2026-09-14"
        ),
    ),
    (
        "… of an erasure: no pause",
        Row("UK-ENG", date(2026, 9, 1), "clarification_requested=2026-09-07", right="erasure"),
    ),
    ("Extended in time: three months from the start", Row("UK-ENG", date(2026, 9, 1), "extended=2026-09-20")),
    ("Extended too late: no effect", Row("UK-ENG", date(2026, 9, 1), "extended=2026-10-02")),
    ("31 August gives 30 September", Row("EU-IE", date(2026, 8, 31))),
    ("Good Friday moves the end in Germany", Row("EU-DE", date(2026, 3, 3))),
    ("… and not in Ireland", Row("EU-IE", date(2026, 3, 3))),
    (
        "Identity asked on the 3rd and shown on the 10th: suspended by guidance, not on the cautious date",
        Row("EU-DE", date(2026, 9, 1), "identity_requested=2026-09-03;identity_received=2026-09-10"),
    ),
    (
        "A refusal after an extension: still a month from receipt",
        Row("EU-FR", date(2026, 9, 1), "extended=2026-09-20", deadline_kind="refusal_notice"),
    ),
    (
        "… under UK law it follows the extension",
        Row("UK-ENG", date(2026, 9, 1), "extended=2026-09-20", deadline_kind="refusal_notice"),
    ),
    (
        "A complaint about the handling: acknowledged within thirty days",
        Row("UK-ENG", date(2026, 7, 1), right="complaint", deadline_kind="complaint_ack"),
    ),
    ("Forty-five days in California", Row("US-CA", date(2026, 9, 1))),
    ("Twenty working days in New Zealand, over Christmas", Row("NZ", date(2026, 12, 1))),
)


def _examples() -> str:
    catalogue = catalogue_of(laws())
    heads = ("Example", "Place", "Received", "What happened", "Date", "Cautious date")
    return table(heads, [_example(title, row, catalogue) for title, row in _EXAMPLES])


def _example(title: str, row: Row, catalogue: Catalogue) -> list[str]:
    limit, _ = limit_of(row, catalogue)
    due = (
        f"**{limit.due_on:%a} {limit.due_on}**"
        if limit.due_on
        else STATUS[limit.state].replace("_", " ").lower()
    )
    same = limit.state is State.RUNNING and limit.safe_due_on == limit.due_on
    safe = "the same" if same else str(limit.safe_due_on or "–")
    happened = ", ".join(row.events.split(";")).replace("_", " ").replace("=", " ")
    return [title, f"`{row.regime}`", f"{row.received_on:%a} {row.received_on}", happened, due, safe]


TABLES: dict[str, Callable[[], str]] = {
    "overview": _overview,
    "uk": _rules_of("uk-gdpr"),
    "eu": _rules_of("eu-gdpr"),
    "others": _others,
    "examples": _examples,
    "calendars": _calendars,
    "unconfirmed": _unconfirmed,
    "sources": _sources,
}


def names(text: str) -> Iterator[str]:
    """The tables that a page asks for."""
    yield from (block["name"] for block in _BLOCK.finditer(text))


def main(arguments: list[str]) -> int:
    """Write the page, or only say whether it is as it should be."""
    before = TARGET.read_text(encoding="utf-8")
    after = written(before)
    if "--check" not in arguments:
        TARGET.write_text(after, encoding="utf-8")
        return 0
    return 0 if before == after else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
