"""Policies, requests and evidence of every kind, for properties."""

from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

from identity.policy.combine import Evidence, Worth
from identity.policy.rules import Asked, Policy, Rule, When
from identity.policy.words import RIGHTS, DataKind, Requester
from identity.providers.base import About, Factor, Intrusiveness, Level, Need, Performer

NOW = datetime(2026, 11, 3, 10, 0, tzinfo=UTC)

levels = st.sampled_from(Level)
codes = st.integers(0, 10**9).map(str)
some_rights = st.frozensets(st.sampled_from(RIGHTS), max_size=3)
some_data = st.frozensets(st.sampled_from(DataKind), max_size=3)

whens = st.builds(
    When,
    some_rights,
    some_data,
    st.frozensets(st.sampled_from(Requester), max_size=2),
    st.sampled_from([None, True, False]),
)
rules = st.builds(
    Rule,
    codes,
    levels,
    whens,
    holds_days=st.none() | st.integers(1, 366),
)
# The form refuses a name that is used twice.
sets_of_rules = st.lists(rules, min_size=1, max_size=6, unique_by=lambda rule: rule.name)
policies = st.builds(Policy, sets_of_rules.map(tuple))
questions = st.builds(Asked, st.sampled_from(RIGHTS), some_data, st.sampled_from(Requester), st.booleans())


@st.composite
def methods(draw: st.DrawFn) -> About:
    reaches = draw(st.sampled_from([Level.LOW, Level.SUBSTANTIAL, Level.HIGH]))
    return About(
        code=draw(codes),
        name="A method",
        asks="",
        performer=Performer.CUSTOMER,
        factor=draw(st.sampled_from(Factor)),
        intrusiveness=draw(st.sampled_from(Intrusiveness)),
        needs=frozenset({draw(st.sampled_from(Need))}),
        reaches=reaches,
        reaches_with=max(reaches, draw(levels)),
    )


@st.composite
def evidence(draw: st.DrawFn) -> Evidence:
    level = draw(levels)
    worth = Worth(draw(st.sampled_from(Factor)), level, max(level, draw(levels)))
    age = timedelta(days=draw(st.integers(0, 400)))
    return Evidence(draw(codes), worth, NOW - age, draw(st.booleans()))
