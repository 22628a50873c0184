"""Changed records are read again, so that whoever decides anew sees what is there now, and expects just that."""

from collections.abc import Mapping, Sequence
from contextlib import closing
from uuid import UUID

from django.utils import timezone

from cases.collection import identifiers, turns
from cases.collection.gate import SharedGate
from cases.connectors.base import JSON
from cases.connectors.changes import ReadsAgain, Wish
from cases.fulfilment import dry_run, parts
from cases.fulfilment.wishes import VERBS
from cases.models import LineState, PlannedChange, PlanPart
from dsar.jobs.run import Claim

_GONE = "The record is no longer there: nothing is left to be done about it."


def look(claim: Claim, part_id: UUID) -> None:
    """Read each changed record of a part again, where its connector can; raises ConnectorError, and PutBack."""
    with claim.step():
        part = parts.locked(claim.case_id, part_id)
        hold = turns.held(part.source, timezone.now())
        if hold is not None:
            raise hold.put_back()
        gate = SharedGate(part.source_id, part.plan.case_id)
        connector = identifiers.connect_to_change(part.source, gate)
        asked = [(line.pk, wish) for line in _changed(part_id) if (wish := _wish(line))]
    with closing(connector):
        if isinstance(connector, ReadsAgain):
            for line_id, wish in asked:
                found = connector.read_again(wish)
                with claim.step():
                    _see(line_id, found)
    gate.leave()


def _changed(part_id: UUID) -> Sequence[PlannedChange]:
    part = PlanPart.objects.select_related("plan").get(pk=part_id)
    stale = dry_run.machine_lines(part).filter(state=LineState.STALE)
    return list(stale.select_related("item__case", "case"))


def _wish(line: PlannedChange) -> Wish | None:
    """Where the record is; what is wished for it is not asked."""
    content = line.item.content if line.item else None
    if not content or line.treatment not in VERBS:
        return None
    return Wish(line.key, VERBS[line.treatment], content["ref"], line.collection, content.get("handle", {}))


def _see(line_id: UUID, found: Mapping[str, JSON] | None) -> None:
    """The record as it is now, in what was collected of it and in what is expected of it."""
    line = PlannedChange.objects.select_related("item__case", "case").get(pk=line_id)
    if line.state != LineState.STALE or line.item is None:
        return
    if found is None:
        line.remedy = _GONE
        line.save(update_fields=["remedy"])
        return
    content = line.item.content
    data = {name: found.get(name, value) for name, value in content["data"].items()}
    line.item.content = {**content, "data": data}
    line.item.save(update_fields=["content"])
    line.expected = {name: found.get(name) for name in line.expected or {}}
    line.save(update_fields=["expected"])
