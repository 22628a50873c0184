"""The pages on which people decide what a search could not: who sees them, what they do, and what is refused."""

from dataclasses import dataclass
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from cases.connectors import registry
from cases.models import Candidate, Case, CollectedFile, FoundIdentifier, SetAside, UnknownField
from dsar.audit.models import AuditEvent
from tests.cases.collection.planted import Planted, planted
from tests.cases.console.doubtful import doubtful_case
from tests.cases.desk_cases import Office, make_office
from tests.cases.staff_client import signed_in
from tests.leaks import leaked
from tests.worlds import part

__all__ = ["planted"]

pytestmark = pytest.mark.usefixtures("world", "planted")


@dataclass(frozen=True)
class World:
    office: Office
    case: Case


def build_world(patch: pytest.MonkeyPatch, _request: pytest.FixtureRequest) -> World:
    known = {**registry.BUILT_IN, Planted.key: f"{Planted.__module__}:{Planted.__name__}"}
    patch.setattr(registry, "BUILT_IN", known)
    patch.setattr(Planted, "opened", [])
    office = make_office()
    return World(office, doubtful_case(office.brand, office.handler))


office, case = part("office"), part("case")


def page(case: Case, name: str = "doubts") -> str:
    return reverse(f"console:{name}", args=[case.pk])


def post(client: Any, case: Case, name: str = "doubts", **data: Any) -> Any:
    version = Case.objects.get(pk=case.pk).version
    return client.post(page(case, name), {"version": version, **data})


def test_handler_sees_what_waits_and_it_is_on_record(office, case):
    said = signed_in(office.handler).get(page(case)).content.decode()

    assert [word in said for word in ("A. Example 0", "people/2", "call.wav", "Classify the fields")] == [
        True
    ] * 4
    assert ("<b>Stranger</b>" in said, "&lt;b&gt;Stranger&lt;/b&gt;" in said) == (False, True)
    assert AuditEvent.objects.filter(action="case.content_viewed", data__doubts=True).count() == 1


@pytest.mark.parametrize("who", ["agent", "auditor", "administrator"])
@pytest.mark.parametrize("name", ["doubts", "fields"])
def test_who_may_not_see_content_finds_nothing(office, case, who, name):
    client = signed_in(getattr(office, who))

    answers = [client.get(page(case, name)), post(client, case, name, verdict="theirs", reason="x")]

    assert [answer.status_code for answer in answers] == [404, 404]


def test_agent_reads_nothing_of_it_on_the_case_page(office, case):
    said = signed_in(office.agent).get(reverse("console:case", args=[case.pk])).content.decode()

    assert leaked(["4711", "A. Example", "doubts", "people/2", "call.wav"], said) == []


def test_case_of_another_brand_is_not_found(office, case):
    stranger = make_office().handler

    assert [signed_in(stranger).get(page(case, name)).status_code for name in ("doubts", "fields")] == [
        404
    ] * 2


def test_match_of_another_case_is_not_found(office, case):
    other = doubtful_case(office.brand, office.handler)
    candidate = Candidate.objects.filter(case=other).first()

    answer = post(signed_in(office.handler), case, match=candidate.pk, verdict="not_theirs", reason="No.")

    assert (answer.status_code, Candidate.objects.get(pk=candidate.pk).verdict) == (404, "open")


def test_match_is_the_person(office, case):
    candidate = Candidate.objects.get(case=case)

    answer = post(
        signed_in(office.handler), case, match=candidate.pk, verdict="theirs", reason="Called back."
    )

    case.refresh_from_db()
    assert (answer.status_code, case.state) == (303, "searching")
    assert Candidate.objects.select_related("case").get(pk=candidate.pk).reason == "Called back."


def test_what_was_typed_stays_where_it_is_refused(office, case):
    candidate = Candidate.objects.get(case=case)

    answer = post(
        signed_in(office.handler), case, match=candidate.pk, verdict="maybe", reason="I called them."
    )

    assert (answer.status_code, "I called them.</textarea>" in answer.content.decode()) == (422, True)
    assert Candidate.objects.get().verdict == "open"


def test_records_that_are_ticked_are_decided(office, case):
    record = SetAside.objects.get(case=case)
    client = signed_in(office.handler)

    refused = post(client, case, record=record.pk, verdict="not_theirs", reason="")
    done = post(client, case, record=record.pk, verdict="not_theirs", reason="Another customer.")

    kept = SetAside.objects.select_related("case").get()
    assert (refused.status_code, f'value="{record.pk}"' in refused.content.decode()) == (422, True)
    assert (done.status_code, kept.verdict, kept.content) == (303, "not_theirs", None)


def test_dpo_looks_and_does_not_decide(office, case):
    record = SetAside.objects.get(case=case)
    client = signed_in(office.dpo)

    said = client.get(page(case)).content.decode()
    answer = post(client, case, record=record.pk, verdict="theirs", reason="x")

    assert ('name="verdict"' in said, answer.status_code) == (False, 422)
    assert SetAside.objects.get().verdict == "open"


def test_file_is_fetched_again_or_waived(office, case):
    file = CollectedFile.objects.get(case=case)
    client = signed_in(office.handler)
    waive = reverse("console:act-on", args=[case.pk, "waive-file", file.pk])

    answer = client.post(waive, {"version": Case.objects.get(pk=case.pk).version, "reason": "Lost there."})

    assert (answer.status_code, CollectedFile.objects.get().state) == (303, "waived")


def test_case_page_shows_where_an_identifier_comes_from_and_strikes_it_out(office, case):
    client = signed_in(office.handler)
    found = FoundIdentifier.objects.get(case=case)
    said = client.get(reverse("console:case", args=[case.pk])).content.decode()
    strike = reverse("console:act-on", args=[case.pk, "strike-identifier", found.pk])

    answer = client.post(strike, {"version": Case.objects.get(pk=case.pk).version, "reason": "Old owner's."})

    assert [word in said for word in ("4711", "customer number", "Recordings", strike)] == [True] * 4
    assert (answer.status_code, FoundIdentifier.objects.get(pk=found.pk).struck_at is None) == (303, False)


def test_submitting_is_refused_with_the_way_on(office, case):
    client = signed_in(office.handler)
    case.items.update(decision="disclose")

    answer = post(client, case, "submit", title="Your data", body="Dear Ada")
    said = client.get(reverse("console:case", args=[case.pk])).content.decode()

    assert (answer.status_code, Case.objects.get(pk=case.pk).state) == (422, "review")
    assert (page(case) in said, page(case, "fields") in said) == (True, True)


# --- Fields -------------------------------------------------------------------------------------------------


def test_handler_sees_fields_and_has_no_form(office, case):
    said = signed_in(office.handler).get(page(case, "fields")).content.decode()

    assert ["mood" in said, "cheerful" in said, 'name="choice"' in said] == [True, True, False]


def test_dpo_classifies_a_field(office, case):
    field = UnknownField.objects.get(name="mood")

    answer = post(
        signed_in(office.dpo), case, "fields", field=field.pk, choice="disclose", reason="About them."
    )

    field.refresh_from_db()
    assert (answer.status_code, field.choice, field.version) == (303, "disclose", 1)


def test_refused_classification_keeps_what_was_typed(office, case):
    field = UnknownField.objects.get(name="mood")

    answer = post(
        signed_in(office.dpo), case, "fields", field=field.pk, choice="", reason="I asked the owner."
    )

    said = answer.content.decode()
    assert (
        answer.status_code,
        "I asked the owner." in said,
        UnknownField.objects.get(name="mood").choice,
    ) == (
        422,
        True,
        "",
    )


def test_handler_cannot_classify_by_sending_the_form(office, case):
    field = UnknownField.objects.get(name="mood")

    answer = post(signed_in(office.handler), case, "fields", field=field.pk, choice="disclose", reason="x")

    assert (answer.status_code, UnknownField.objects.get(name="mood").choice) == (422, "")


def test_field_of_another_source_is_not_found(office, case):
    UnknownField.objects.update(name="mood")
    other = UnknownField.objects.create(
        controller=office.brand,
        source=SetAside.objects.get(case=case).source,
        collection="notes",
        name="other",
        seen_at=case.opened_at,
    )

    answer = post(signed_in(office.dpo), case, "fields", field=other.pk, choice="disclose", reason="x")

    assert answer.status_code == 404


def test_queries_do_not_grow_with_what_waits(planted):
    office = make_office()
    client = signed_in(office.handler)
    counts = []
    for many in (1, 6):
        case = doubtful_case(office.brand, office.handler, strangers=many, matches=many)
        client.get(page(case))
        with CaptureQueriesContext(connection) as queries:
            client.get(page(case))
        counts.append(len(queries))

    assert counts[0] == counts[1]
