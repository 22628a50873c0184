"""Every code of the picklists fits where decisions keep it."""

from itertools import chain

from cases.law.loader import book
from cases.models import Decision, Item


def test_codes_of_the_law_fit_their_columns():
    longest = max(len(entry.code) for entry in chain(book().exemptions, book().grounds))

    columns = [Item._meta.get_field("exemption"), Decision._meta.get_field("reason_code")]

    assert [column.name for column in columns if column.max_length < longest] == []
