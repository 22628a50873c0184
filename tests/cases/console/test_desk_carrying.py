"""How far a source is with an approved plan, in words."""

import pytest

from cases.console.desk_carrying import shown
from cases.models import ChangePlan, PartStage, PlanPart, PlanStage


@pytest.mark.parametrize(
    ("steps", "by_hand", "says"), [(0, 5, "by hand"), (0, 0, "done"), (6, 5, "done")], ids=str
)
def test_source_without_a_step_for_its_connector_is_not_called_done(steps, by_hand, says):
    part = PlanPart(plan=ChangePlan(stage=PlanStage.EXECUTING), stage=PartStage.DONE, steps_total=steps)

    assert shown(part, {"by_hand": by_hand}).says == says
