import hashlib
import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cases.packs import plan as planning
from cases.packs.content import PackRecord, Processing, Redacted, Statement
from cases.packs.plan import RecordsChanged, RecordsScattered
from cases.packs.render import render_pack
from cases.packs.sink import MemorySink, SinkStoppedEarly
from tests.cases.packs.samples import PACK, RECORDS, csv_rows, pack_of, page_texts, pdf_text, rendered, rows


def test_pack_with_everything_has_these_files():
    files, _ = rendered(PACK)

    assert list(files) == [
        "01-letter.pdf",
        "data.json",
        "data/crm/customer.csv",
        "data/crm/note.csv",
        "02-report.pdf",
        "attachments/scan-1.png",
        "README.txt",
        "manifest.json",
    ]


def test_manifest_names_size_and_digest_of_each_other_file():
    files, manifest = rendered(PACK)

    told = json.loads(files.pop("manifest.json"))
    assert {file["name"]: (file["size"], file["sha256"]) for file in told["files"]} == {
        name: (len(data), hashlib.sha256(data).hexdigest()) for name, data in files.items()
    }
    assert [file.records for file in manifest.files] == [None, 3, 1, 2, 3, None, None]
    assert (told["tool"], told["reference"], told["records"]) == ("dsar-desk 1.2.3", "K7QF-2M9D/A", 3)


def test_pack_rendered_twice_is_the_same():
    first, _ = rendered(PACK)
    second, _ = rendered(PACK)

    assert first == second


def test_json_groups_records_by_source_and_collection():
    files, _ = rendered(PACK)

    assert json.loads(files["data.json"]) == {
        "schema": "dsar-response-pack/1",
        "reference": "K7QF-2M9D/A",
        "controller": "Harbour Telecom",
        "subject": "Luís Gonçalves",
        "answered_on": "2026-12-01",
        "sources": [
            {
                "source": "crm",
                "label": "Customer desk",
                "collections": [
                    {
                        "collection": "customer",
                        "label": "Customers",
                        "records": [
                            {
                                "number": 1,
                                "data": {"first_name": "Луис Ελένη", "supportRep": {"$withheld": "TP"}},
                            }
                        ],
                    },
                    {
                        "collection": "note",
                        "label": "Notes",
                        "records": [
                            {
                                "number": 2,
                                "data": {
                                    "text": {"$passages": ["Call with ", {"$withheld": "TP"}, " ended."]},
                                    "n": -5,
                                },
                            },
                            {
                                "number": 3,
                                "data": {"text": '=HYPERLINK("http://x")', "tags": ["a", 1]},
                                "provenance": "by e-mail",
                            },
                        ],
                    },
                ],
            }
        ],
    }


def test_csv_has_all_columns_and_no_formula():
    files, _ = rendered(PACK)

    assert csv_rows(files["data/crm/note.csv"]) == [
        ["number", "text", "n", "tags", "provenance"],
        ["2", "Call with [withheld: TP] ended.", "-5", "", ""],
        ["3", '\'=HYPERLINK("http://x")', "", '["a",1]', "by e-mail"],
    ]


def test_pack_without_records_says_so():
    files, manifest = rendered(pack_of([]))

    assert json.loads(files["data.json"])["sources"] == []
    assert manifest.records == 0
    assert page_texts(files["02-report.pdf"])[-1].split(" Reference ")[0] == (
        "Your data There are no records to give."
    )
    assert "data/" not in files["README.txt"].decode().replace("data.json", "")


def test_report_without_statement_has_no_chapter_for_it():
    files, _ = rendered(replace(PACK, statement=Statement()))

    text = pdf_text(files["02-report.pdf"])
    assert text.count("How your personal data is used") == 0
    assert text.count("Where we looked") == 2


def test_source_of_which_no_fact_is_known_has_no_heading():
    statement = Statement(("Yes.",), (Processing("Empty desk"), Processing("Known desk", ("Billing",))))

    files, _ = rendered(replace(PACK, statement=statement))

    text = pdf_text(files["02-report.pdf"])
    assert (text.count("Empty desk"), text.count("Known desk Why it is used Billing")) == (0, 1)


def test_silent_withholding_leaves_the_same_words_as_none():
    nothing, _ = rendered(pack_of(RECORDS[2:], withheld=()))

    text = pdf_text(nothing["02-report.pdf"])
    assert text.count("What is withheld There is nothing to list here.") == 1
    assert text.count("withheld:") == 0


def test_report_reads_in_order_and_marks_what_is_withheld():
    files, _ = rendered(PACK)

    text = pdf_text(files["02-report.pdf"])
    chapters = [
        "About",
        "Contents",
        "How your personal data is used Yes",
        "Where we looked These",
        "Your data Cust",
    ]
    assert sorted(chapters, key=text.index) == chapters
    assert text.count("[withheld: TP]") == 3  # how to read, and the two records
    assert text.count("Луис Ελένη") == 1
    assert text.count("Not searched: purged") == 1
    assert text.count("TP Data of other people 2") == 1


def test_contents_lead_to_the_page_of_each_chapter():
    files, _ = rendered(pack_of(rows(400, text="some words", more="others")))

    pages = page_texts(files["02-report.pdf"])
    contents = pages[1]
    data_page = next(number for number, text in enumerate(pages, 1) if text.startswith("Your data Customer"))
    assert f"Your data {data_page} " in contents
    assert f"Customer desk: Rows, records 1 to 400 {data_page} " in contents


def test_every_page_has_its_number_and_the_reference():
    files, _ = rendered(pack_of(rows(300)))

    pages = page_texts(files["02-report.pdf"])
    assert len(pages) > 6
    assert [
        ("K7QF-2M9D/A" in text, f"Page {n} of {len(pages)}" in text) for n, text in enumerate(pages, 1)
    ] == [(True, True)] * len(pages)


@pytest.mark.parametrize(
    ("language", "word"), [("de", "zurückgehalten: TP"), ("fr-BE", "non communiqué : TP")]
)
def test_pack_in_another_language_uses_its_words(language, word):
    files, _ = rendered(replace(PACK, language=language))

    assert pdf_text(files["02-report.pdf"]).count(f"[{word}]") == 3
    assert files["README.txt"].decode().count(f"[{word}]") == 1


def test_withheld_value_is_in_no_file_even_when_next_to_disclosed_ones():
    shown = {"agent": Redacted("TP"), "nested": {"who": Redacted("LPP"), "kept": "visible-value"}}

    files, _ = rendered(pack_of([PackRecord("crm", "c", "C", 1, shown)]))

    assert csv_rows(files["data/crm/c.csv"])[1] == [
        "1",
        "[withheld: TP]",
        '{"who":{"$withheld":"LPP"},"kept":"visible-value"}',
    ]
    assert pdf_text(files["02-report.pdf"]).count("Who: [withheld: LPP]; Kept: visible-value") == 1


def test_volumes_hold_each_record_once(monkeypatch):
    monkeypatch.setattr(planning, "VOLUME_WEIGHT", 100)
    records = [*rows(120, name="value"), PackRecord("web", "visit", "Visits", 121, {"page": "home"})]

    files, manifest = rendered(pack_of(records))

    volumes = [name for name in files if name.startswith("02-")]
    assert volumes == ["02-report.pdf", "02-report-volume-002.pdf", "02-report-volume-003.pdf"]
    assert [file.records for file in manifest.files if file.name in volumes] == [50, 50, 21]
    assert [pdf_text(files[name]).split().count("value") for name in volumes] == [50, 50, 20]
    assert "records 51 to 100 volume 2" in page_texts(files["02-report.pdf"])[1]


def test_records_are_streamed_and_never_all_held(monkeypatch):
    monkeypatch.setattr(planning, "VOLUME_WEIGHT", 100)
    alive = MostAlive()

    manifest = render_pack(replace(PACK, records=alive.records), MemorySink())

    assert manifest.records == 2_000
    assert alive.most < 20


class MostAlive:
    """Gives records of which it counts how many exist at once."""

    def __init__(self):
        self.now = self.most = 0

    def records(self):
        for number in range(1, 2_001):
            self.now += 1
            self.most = max(self.most, self.now)
            yield PackRecord("crm", "row", "Rows", number, Counted(self))


class Counted(dict):
    """The data of a record, which tells when it is gone."""

    def __init__(self, counter):
        super().__init__(name="value")
        self.counter = counter

    def __del__(self):
        self.counter.now -= 1


def test_records_that_are_scattered_are_refused():
    scattered = [RECORDS[1], RECORDS[0], RECORDS[2]]

    with pytest.raises(RecordsScattered, match="crm/note"):
        rendered(pack_of(scattered))


@pytest.mark.parametrize("later", [rows(2), rows(4), [], [*rows(2), RECORDS[0]]])
@pytest.mark.parametrize("change_at", [2, 3])
def test_records_that_change_between_passes_are_refused(later, change_at):
    passes = iter([rows(3)] * (change_at - 1) + [later] * 3)
    sink = MemorySink()

    with pytest.raises(RecordsChanged):
        render_pack(replace(PACK, records=lambda: next(passes)), sink)

    assert "manifest.json" not in sink.files


def test_sink_that_does_not_read_all_is_refused():
    class Lazy:
        def add(self, name, media_type, chunks):
            next(iter(chunks), None)

    with pytest.raises(SinkStoppedEarly, match=r"01-letter\.pdf"):
        render_pack(PACK, Lazy())


def test_characters_without_a_glyph_are_shown_by_code_and_counted():
    files, manifest = rendered(pack_of(rows(1, text="Grin 😀 and 😀, 漢")))

    text = pdf_text(files["02-report.pdf"])
    assert text.count("Grin [U+1F600] and [U+1F600], [U+6F22]") == 1
    assert text.count("Characters that cannot be printed") == 1
    assert manifest.escaped_characters == 3
    assert json.loads(files["data.json"])["sources"][0]["collections"][0]["records"][0]["data"] == {
        "text": "Grin 😀 and 😀, 漢"
    }


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=15)
@given(st.lists(st.dictionaries(st.text(), JSON, max_size=4), min_size=1, max_size=4))
def test_json_of_any_data_reads_back_the_same(data):
    records = [PackRecord("crm", "row", "Rows", number, item) for number, item in enumerate(data, 1)]

    files, _ = rendered(pack_of(records))

    read = json.loads(files["data.json"])["sources"][0]["collections"][0]["records"]
    assert [record["data"] for record in read] == data


@settings(max_examples=25)
@given(st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=1, max_size=5))
def test_csv_of_any_text_reads_back_the_same_and_starts_no_formula(texts):
    records = [PackRecord("crm", "row", "Rows", number, {"t": text}) for number, text in enumerate(texts, 1)]

    files, _ = rendered(pack_of(records))

    cells = [row[1] for row in csv_rows(files["data/crm/row.csv"])[1:]]
    assert [cell.removeprefix("'") for cell in cells] == texts
    assert [cell for cell in cells if cell.lstrip()[:1] and cell.lstrip()[0] in "=+-@＝＋－＠"] == []
