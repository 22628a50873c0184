"""Engines are shared by those that ask for the very same, for a while."""

import sqlalchemy as sa

from cases.connectors.sql.engines import Engines


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def engine() -> sa.Engine:
    return sa.create_engine("postgresql+psycopg://nobody@nowhere/none")


def test_engine_is_shared_by_those_that_ask_for_the_same():
    engines = Engines()

    first, again = (
        engines.get(("crm", "reader", "secret"), engine),
        engines.get(("crm", "reader", "secret"), engine),
    )

    assert again is first


def test_other_credentials_get_another_engine():
    engines = Engines()

    made = {id(engines.get(("crm", "reader", password), engine)) for password in ("old", "new", "old")}

    assert len(made) == 2


def test_engine_is_forgotten_after_its_time_although_it_is_used():
    clock = Clock()
    engines = Engines(lifetime=60.0, clock=clock)
    first = engines.get("crm", engine)

    clock.now += 59.0
    young = engines.get("crm", engine)
    clock.now += 1.0
    old = engines.get("crm", engine)

    assert (young is first, old is first) == (True, False)


def test_oldest_engine_is_forgotten_where_there_are_too_many():
    engines = Engines(limit=2)
    first, second = engines.get("first", engine), engines.get("second", engine)

    engines.get("third", engine)

    assert engines.get("second", engine) is second
    assert engines.get("first", engine) is not first


def test_engines_tell_nothing_of_what_they_were_made_from():
    engines = Engines()
    engines.get(("crm", "reader", "secret"), engine)

    assert "secret" not in repr(engines)
