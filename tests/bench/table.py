"""The table that is printed: the peer, us, how many times better, and our aim."""

from collections.abc import Iterable, Sequence

from tests.bench.figures import Result
from tests.bench.peer import BY_NAME, Row

HEAD = ("work", "peer", "ours", "ratio", "aim", "CPU s", "load", "others")
LEFT = 1  # So many columns are set flush left; numbers are set flush right.


def table(results: Iterable[Result]) -> str:
    """Results as lines, in the order given, each followed by what is to be said of it."""
    found = list(results)
    lines = [_line(result) for result in found]
    widths = [max(map(len, column)) for column in zip(HEAD, *lines, strict=True)]
    text = [_set(HEAD, widths), _set(["-" * width for width in widths], widths)]
    for result, line in zip(found, lines, strict=True):
        text.append(_set(line, widths))
        text += [f"    {remark}" for remark in _remarks(result)]
    return "\n".join(text)


def number(value: float | None, unit: str) -> str:
    """A value with its unit, with as many digits as mean something."""
    if value is None:
        return "–"
    digits = 0 if value >= 100 or value == int(value) else 1 if value >= 10 else 2
    return f"{value:,.{digits}f} {unit}".strip()


def ratio(result: Result) -> str:
    """How many times better than the peer: ``4.2×``; below one it is worse."""
    row, value = BY_NAME[result.name], result.value
    if value is None:
        return "–"
    times = row.ratio(value)
    if times is None:
        return "all" if row.is_met(value) else "–"
    return f"{times:,.{0 if times >= 100 else 1}f}×"


def _line(result: Result) -> tuple[str, ...]:
    row = BY_NAME[result.name]
    cpu = "–" if result.cpu_seconds is None else f"{result.cpu_seconds:.2f}"
    busy = (f"{result.before.load:.1f}", f"{result.before.others_busy:.1f}") if result.runs else ("–", "–")
    return (row.work, number(row.peer, row.unit), _ours(result), ratio(result), _aim(row, result), cpu, *busy)


def _ours(result: Result) -> str:
    return "skipped" if result.skipped else number(result.value, BY_NAME[result.name].unit)


def _aim(row: Row, result: Result) -> str:
    mark = "" if result.value is None else " ✓" if row.is_met(result.value) else " ✗"
    return f"{'≥' if row.higher_is_better else '≤'} {number(row.aim, row.unit)}{mark}"


def _remarks(result: Result) -> list[str]:
    spread = f"{len(result.runs)} runs: {_spread(result)}" if len(result.runs) > 1 else ""
    said = [result.skipped and f"skipped: {result.skipped}", spread, result.detail, BY_NAME[result.name].note]
    return [remark for remark in said if remark]


def _spread(result: Result) -> str:
    unit = BY_NAME[result.name].unit
    return f"{number(min(result.runs), unit)} to {number(max(result.runs), unit)}"


def _set(cells: Sequence[str], widths: Sequence[int]) -> str:
    set_ = [
        cell.ljust(width) if place < LEFT else cell.rjust(width)
        for place, (cell, width) in enumerate(zip(cells, widths, strict=True))
    ]
    return "  ".join(set_).rstrip()
