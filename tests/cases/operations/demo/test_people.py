"""The invented customers."""

from datetime import date

import pytest

from cases.operations.demo.crm import TABLES
from cases.operations.demo.people import ENGLISH, GERMAN, Customer, customers, histories

TODAY = date(2026, 3, 2)

pytestmark = pytest.mark.parametrize("tongue", [ENGLISH, GERMAN], ids=["english", "german"])


def test_customers_are_the_same_people_each_time(tongue):
    assert customers(tongue, TODAY, 50) == customers(tongue, TODAY, 50)


def test_customers_can_be_told_apart_and_reached_nowhere(tongue):
    people = customers(tongue, TODAY)

    assert (len({one.email for one in people}), len({one.account for one in people})) == (2000, 2000)
    assert {one.email.rpartition("@")[2] for one in people} <= {"example.com", "example.org"}
    assert all(one.email.isascii() for one in people)


def test_histories_hang_on_people_who_are_there(tongue):
    people = customers(tongue, TODAY, 200)

    lives = histories(tongue, people, TODAY)

    known = {one.id for one in people}
    contracts = {number for number, *_rest in lives.contracts}
    assert {row[1] for row in lives.contracts} == known
    assert {row[1] for row in lives.uses} == contracts
    assert {row[1] for row in [*lives.bills, *lives.contacts]} <= known
    assert {row[2] for row in lives.contacts} <= {number for number, *_rest in lives.staff}
    assert max(row[2] for row in lives.uses) < TODAY


def test_rows_fit_the_columns_of_their_tables(tongue):
    people = customers(tongue, TODAY, 20)
    lives = histories(tongue, people, TODAY)

    widths = [len(Customer.__dataclass_fields__), *(len(rows[0]) for rows in vars(lives).values())]

    for tables in TABLES.values():
        assert [len(table.columns) for table in tables] == widths
        assert [len(table.kinds) for table in tables] == widths
