"""What the rules propose for a record: pure, so that any record can be tried."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from cases.deadlines.arithmetic import add_months
from cases.fulfilment.rules import AT_REST, Can, Judge, Proposal, Record, Rule
from cases.models import Treatment
from dsar.lib.uuid7 import uuid7

TODAY = date(2026, 11, 22)
SOURCE = uuid7()
EVERYTHING = Can(delete=True, anonymise=True, block=True)
INVOICES = Rule(
    "tax", exception="LEGAL", source_id=SOURCE, collection="invoice", date_field="on", keep_months=72,
    parts=frozenset({"line"}),
)  # fmt: skip


def invoice(on: object, number: str = "1") -> Record:
    return Record(SOURCE, "invoice", {"on": on}, keys=frozenset({("invoice", "id", number)}))


def line(of: str = "1", source=SOURCE) -> Record:
    return Record(source, "line", {}, parents=frozenset({("invoice", "id", of)}))


def judge(*rules: Rule, **fields) -> Judge:
    return Judge(rules, TODAY, **fields)


@given(st.dates(date(1990, 1, 1), date(2026, 12, 31)))
def test_rule_keeps_exactly_as_long_as_it_says(on):
    said = judge(INVOICES).propose(invoice(on.isoformat()), EVERYTHING)

    kept = add_months(on, 72) > TODAY
    assert said == (Proposal("keep", "keeping:tax", "LEGAL") if kept else Proposal("delete", "past:tax"))


def test_last_day_of_keeping_is_kept_and_the_next_is_not():
    last = add_months(TODAY, -72) + timedelta(days=1)

    kept, gone = (
        judge(INVOICES).propose(invoice(str(on)), EVERYTHING) for on in (last, last - timedelta(days=1))
    )

    assert (kept.treatment, gone.treatment) == ("keep", "delete")


def test_date_that_cannot_be_read_keeps_the_record_and_says_so():
    for unreadable in ("soon", None, 2022, ""):
        said = judge(INVOICES).propose(invoice(unreadable), EVERYTHING)

        assert said == Proposal("keep", "undated:tax", "LEGAL")


def test_parts_stay_with_a_record_that_stays_and_go_with_one_that_goes():
    one = judge(INVOICES)

    one.propose(invoice("2026-01-01", "1"), EVERYTHING)
    one.propose(invoice("2001-01-01", "2"), EVERYTHING)

    assert one.propose(line("1"), EVERYTHING) == Proposal("keep", "part_of:tax", "LEGAL")
    assert one.propose(line("2"), EVERYTHING).treatment == "delete"
    assert one.propose(line("1", uuid7()), EVERYTHING).treatment == "delete"


def test_what_says_more_is_asked_first():
    general = Rule("all", treatment="anonymise", category="user")
    by_category = Rule("money", exception="LEGAL", category="user.financial")
    record = Record(SOURCE, "invoice", {"on": "2026-01-01"}, frozenset({"user.financial.account"}))

    said = [judge(*rules).propose(record, EVERYTHING).rule for rules in (
        (general,), (general, by_category), (general, by_category, INVOICES),
    )]  # fmt: skip

    assert said == ["keeping:all", "keeping:money", "keeping:tax"]


def test_category_is_not_taken_for_one_that_begins_alike():
    rule = Rule("money", exception="LEGAL", category="user.finance")

    said = judge(rule).propose(Record(SOURCE, "x", {}, frozenset({"user.financial"})), EVERYTHING)

    assert said == Proposal("delete", "usual")


@given(
    st.builds(Can, st.booleans(), st.booleans(), st.booleans()),
    st.booleans(),
    st.sampled_from(["", "ES_BLOCKED"]),
)
def test_others_and_held_data_are_never_written_to(can, is_on_hold, blocks_under):
    others = Record(SOURCE, "agent", {}, others="TP")
    mine = Record(SOURCE, "note", {})
    one = judge(Rule("go", treatment="delete"), is_on_hold=is_on_hold, blocks_under=blocks_under)

    assert one.propose(others, can) == Proposal("keep", "third_party", "TP")
    assert (one.propose(mine, can).treatment in AT_REST) == is_on_hold


def test_law_that_blocks_first_proposes_to_block_by_hand_where_the_source_cannot():
    one = judge(blocks_under="ES_BLOCKED")

    said = [one.propose(Record(SOURCE, "x", {}), can) for can in (EVERYTHING, Can(delete=True))]

    assert said == [
        Proposal("block", "blocking", "ES_BLOCKED"),
        Proposal("block", "blocking", "ES_BLOCKED", by_hand=True),
    ]


def test_what_the_source_cannot_do_is_for_a_human():
    one = judge()

    said = [
        one.propose(Record(SOURCE, "x", {}), can) for can in (Can(), Can(anonymise=True), Can(delete=True))
    ]

    assert said == [
        Proposal(Treatment.DELETE, "usual", by_hand=True),
        Proposal(Treatment.ANONYMISE, "usual"),
        Proposal(Treatment.DELETE, "usual"),
    ]
