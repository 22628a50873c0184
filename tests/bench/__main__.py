"""Measure the desk beside the peer and print the table: ``make bench BENCH_ARGS='--only intake'``."""

import argparse
import json
import os
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tests.bench import access, clock, crowd, failures, intake, memory, queue, starting
from tests.bench.figures import FAILED, Result, skipped
from tests.bench.options import Options
from tests.bench.peer import BY_NAME
from tests.bench.site import Site, opened, scratch_folder
from tests.bench.table import table


@dataclass(frozen=True)
class Section:
    """Rows that are measured together. ``on_site`` ones share a site, in this order: the queue fills its table last."""

    name: str
    rows: tuple[str, ...]
    measure: Callable[..., list[Result]]
    on_site: bool = True
    needs_crm: bool = False


SECTIONS = (
    Section("start", starting.ROWS, starting.measure, on_site=False),
    Section("memory", memory.ROWS, memory.measure),
    Section("intake", intake.ROWS, intake.measure),
    Section("collection", access.ROWS, access.measure, needs_crm=True),
    Section("limits", crowd.CROWD, crowd.measure_crowd),
    Section("engine", crowd.ENGINE, crowd.measure_engine),
    Section("queue", queue.ROWS, queue.measure),
    Section("clock", ("clock",), clock.measure_engine, on_site=False),
    Section("recomputing", clock.RECOMPUTED, clock.measure_recomputing),
    Section("kills", failures.ROWS, failures.measure, on_site=False),
)


def main(arguments: Sequence[str]) -> int:
    """Measure what is asked for; the exit code is 1 where a measurement failed."""
    parsed = parse(arguments)
    options = Options(parsed.quick, parsed.crm, wanted_rows(parsed.only))
    chosen = [section for section in SECTIONS if options.wants(*section.rows)]
    results = _alone(chosen, options) + _on_site(chosen, options)
    ordered = sorted(results, key=lambda result: list(BY_NAME).index(result.name))
    ordered = [result for result in ordered if options.wants(result.name)]
    print(_heading(options), table(ordered), sep="\n\n")
    if parsed.json:
        parsed.json.write_text(json.dumps([result.as_json() for result in ordered], indent=2) + "\n")
    return 1 if any(result.skipped.startswith(FAILED) for result in ordered) else 0


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """Read the command line."""
    names = [section.name for section in SECTIONS]
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few and small runs, to see that it works")
    parser.add_argument(
        "--only", nargs="+", default=[], metavar="NAME", help=f"rows, or sections: {', '.join(names)}"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every figure there as well")
    parser.add_argument(
        "--crm", default="", metavar="URL", help="a PostgreSQL that has the benchmark's CRM already"
    )
    parsed = parser.parse_args(arguments)
    if unknown := set(parsed.only) - set(names) - set(BY_NAME):
        parser.error(f"unknown: {', '.join(sorted(unknown))}. Rows are: {', '.join(BY_NAME)}")
    return parsed


def wanted_rows(names: Sequence[str]) -> frozenset[str]:
    """The rows that these names of rows and sections stand for; none means all."""
    sections = {section.name: section.rows for section in SECTIONS}
    return frozenset(row for name in names for row in ((name,) if name in BY_NAME else sections[name]))


def _alone(sections: Sequence[Section], options: Options) -> list[Result]:
    """Those that bring their own servers."""
    alone = [section for section in sections if not section.on_site]
    return [result for section in alone for result in _measured(section, partial(section.measure, options))]


def _on_site(sections: Sequence[Section], options: Options) -> list[Result]:
    """Those that share one site."""
    ours = [section for section in sections if section.on_site]
    results = [result for section in ours if section.needs_crm for result in _without_crm(section, options)]
    ours = [section for section in ours if not (section.needs_crm and options.no_crm)]
    if ours:
        with scratch_folder() as folder, opened(Site(folder)) as site:
            site.set_up()
            for section in ours:
                results += _measured(section, partial(_measure, section, site, options))
    return results


def _measure(section: Section, site: Site, options: Options) -> list[Result]:
    if section.needs_crm:
        _say("making the CRM" if not options.crm_url else "using the CRM given")
        site.connect_crm(options.crm_options() or site.load_crm(options.crm_script), options.dataset)
    return section.measure(site, options)


def _without_crm(section: Section, options: Options) -> list[Result]:
    return skipped(options.no_crm, *section.rows) if options.no_crm else []


def _measured(section: Section, measure: Callable[[], list[Result]]) -> list[Result]:
    """The section's results; where it fails, the others still run, and the table says what happened."""
    _say(f"measuring {section.name}")
    began = time.monotonic()
    try:
        found = measure()
    except Exception as error:
        traceback.print_exc()
        found = skipped(f"{FAILED}: {type(error).__name__}: {error}", *section.rows)
    _say(f"measured {section.name} in {time.monotonic() - began:.0f} s")
    return found


def _heading(options: Options) -> str:
    return "\n".join([*([QUICK] if options.quick else []), PEER.format(os.cpu_count()), COLUMNS])


QUICK = "A quick run: it shows that the measurements work; its figures are not for comparing."
PEER = (
    "The peer is Fides 2.86.2, measured in November 2026 on two shared cores; this machine has {}. Medians."
)
COLUMNS = (
    "ratio: how many times better than the peer. CPU s: what one run cost all our processes. load, others: the load\n"
    "average, and the cores busy with other work, before the measurement."
)


def _say(words: str) -> None:
    print(f"[{time.strftime('%H:%M:%S')}] {words}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
