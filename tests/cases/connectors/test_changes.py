from dataclasses import replace

from cases.connectors.base import Effect
from cases.connectors.changes import Action, Blocker, Obstacle, Plan, Verb, derived_key

ACTION = Action("k1", Verb.DELETE, "note/1", "note", Effect.REMOVED, handle={"id": 1})


def test_digest_is_of_what_would_be_done() -> None:
    plan = Plan((ACTION,), (Blocker("k2", "order/1", "order", Obstacle.STATE, "Cancel it first."),))
    others = [
        replace(plan, actions=()),
        replace(plan, blockers=()),
        replace(plan, tasks=("Shred the paper file.",)),
        replace(plan, actions=(replace(ACTION, handle={"id": 2}),)),
        replace(plan, actions=(replace(ACTION, expected={"text": "x"}),)),
    ]

    digests = {one.digest for one in [plan, *others]}

    assert len(digests) == 1 + len(others)
    assert plan.digest == replace(plan).digest


def test_repr_of_a_plan_shows_no_contents() -> None:
    secret = "ada@example.org"
    action = replace(ACTION, payload={"a": secret}, expected={"a": secret}, handle={"a": secret})
    blocker = Blocker("k2", "order/1", "order", Obstacle.STATE, "Cancel it first.", words=secret)

    assert secret not in repr(Plan((action,), (blocker,)))


def test_derived_key_is_the_same_each_time_and_of_its_own() -> None:
    keys = [derived_key("k1", "history"), derived_key("k1", "history"), derived_key("k2", "history")]

    assert keys[0] == keys[1]
    assert len({"k1", *keys}) == 3
