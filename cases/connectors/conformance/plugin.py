"""The pytest plugin that turns a run of the kit into a report."""

from __future__ import annotations

import pytest

from cases.connectors import registry
from cases.connectors.base import ConfigurationError
from cases.connectors.conformance.kit import NOT_CLAIMED, ConnectorContract
from cases.connectors.conformance.points import point_of
from cases.connectors.conformance.report import Report, Result, Verdict


class ReportPlugin:
    """Collects results by point; runs the world of one connector with another where ``connector`` names it."""

    def __init__(self, connector: str = "", points: frozenset[int] = frozenset()) -> None:
        self.report = Report()
        self.problem = ""
        self._connector = connector
        self._points = points

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Choose the connector and the points."""
        for item in items:
            kit = getattr(item, "cls", None)
            if isinstance(kit, type) and issubclass(kit, ConnectorContract):
                kit.connector = self._connector or kit.connector
                self.report.connector = kit.connector
                self.problem = self.problem or _cannot_be_loaded(kit.connector)
        if self.problem:
            items.clear()
        elif self._points:
            items[:] = [item for item in items if point_of(item.name) in self._points]

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep how a test ended; a set-up that failed is a test that failed."""
        test = report.nodeid.rpartition("::")[2]
        if (point := point_of(test)) is None or (report.passed and report.when != "call"):
            return
        verdict, why = _judged(report)
        self.report.results.append(Result(point, test, verdict, why))


def _cannot_be_loaded(connector: str) -> str:
    """Say why a connector cannot be tried at all; nothing when it can."""
    try:
        registry.load(connector)
    except ConfigurationError as error:
        return str(error.params["problem"])
    return ""


def _judged(report: pytest.TestReport) -> tuple[Verdict, str]:
    if report.passed:
        return Verdict.PASSED, ""
    if report.skipped:
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        plain = reason.removeprefix("Skipped: ")
        claimed = not plain.startswith(NOT_CLAIMED)
        # A test that is left out for any other reason was not shown either, and says so.
        return Verdict.NOT_CLAIMED, plain if claimed else plain.removeprefix(NOT_CLAIMED)
    return Verdict.FAILED, _first_line(report)


def _first_line(report: pytest.TestReport) -> str:
    crash = getattr(report.longrepr, "reprcrash", None)
    words = crash.message if crash else str(report.longrepr)
    return next(iter(words.strip().splitlines()), "")
