"""What the programs hold when nothing is to be done."""

import time

from tests.bench import processes
from tests.bench.figures import Before, Result
from tests.bench.options import Options
from tests.bench.site import REST_SECONDS, Site, quiet
from tests.bench.web import Browser

ROWS = ("memory-web", "memory-worker")


def measure(site: Site, options: Options) -> list[Result]:
    """Resident memory, where pages shared between processes count for each; the shared-once figure beside it."""
    site.start_web()
    site.start_jobs()
    _look_around(site)
    time.sleep(REST_SECONDS)
    before = quiet()
    return [_held(site, "memory-web", "web", before), _held(site, "memory-worker", "worker", before)]


def _look_around(site: Site) -> None:
    """A page of each kind, so that what is loaded at first use is loaded."""
    browser = Browser(site.port)
    for path in ("/healthz", f"/p/{site.slug()}/", "/staff/sign-in/"):
        browser.get(path)
    browser.close()


def _held(site: Site, name: str, program: str, before: Before) -> Result:
    pids = processes.trees([site.programs[program].pid])
    held = processes.memory(pids)
    detail = f"{len(pids)} processes; shared pages counted once: {held.pss:.0f} MB"
    if name == "memory-worker":
        others = processes.memory(
            processes.trees(
                site.programs[other].pid for other in ("upkeep", "beat") if other in site.programs
            )
        )
        detail += f"; the sweeper and the scheduler beside it: {others.rss:.0f} MB, {others.pss:.0f} MB"
    return Result(name, (held.rss,), None, before, detail)
