"""The other rights from page to page: logged by an agent, worked by a handler, approved by another, answered."""

from typing import Any
from uuid import uuid4

import pytest
from django.urls import reverse
from django.utils import timezone

from cases.models import (
    Balancing,
    Case,
    FulfilmentTask,
    Item,
    ItemDecision,
    Letter,
    PackFile,
    PlaceState,
    RestrictedPlace,
    Restriction,
    SecondLook,
    SourceSystem,
    SuppressionEntry,
)
from cases.permissions import by_staff
from cases.portal import story
from cases.words import Outcome, Right, State
from cases.workflow import identity
from dsar.vault import files
from identity.models import Level
from tests.cases.desk_cases import allow_all, make_office, office
from tests.cases.staff_client import signed_in
from tests.factories.cases import run_jobs

__all__ = ["office"]

pytestmark = pytest.mark.django_db


def again(case: Case) -> Case:
    return Case.objects.select_related("subject_request").get(pk=case.pk)


def asked(office: Any, right: Right, **said: str) -> Case:
    """An agent logs it with what was said; identity is seen, and the sources are searched."""
    allow_all(office.brand)
    typed = {
        "submission": str(uuid4()),
        "brand": str(office.brand.pk),
        "name": "Ada Example",
        "email": "ada@example.com",
        "rights": [right.value],
        "channel": "call",
        "words": "As said on the phone.",
        "language": "en-gb",
        "answer_by": "portal",
        "log": "request",
        **said,
    }
    answer = signed_in(office.agent).post(reverse("console:log"), typed)
    assert answer.status_code == 303, answer.context["form"].errors
    case = Case.objects.get(right=right)
    if case.state == State.AWAITING_IDENTITY:
        seen = (Level.SUBSTANTIAL, "known_answers", "Knew the last order.")
        identity.record_evidence(case, *seen, by_staff(office.handler), timezone.now())
    run_jobs()
    return again(case)


def page(case: Case) -> str:
    return reverse("console:case", args=[case.pk])


def form_of(case: Case) -> str:
    return reverse("console:right", args=[case.pk])


def act(client: Any, case: Case, name: str, target: Any = None, **data: Any) -> Any:
    """Press a button of the case's page, with the version that the page shows."""
    where = [case.pk, name, target.pk] if target else [case.pk, name]
    url = reverse("console:act-on" if target else "console:act", args=where)
    return client.post(url, {**data, "version": again(case).version})


def answered(office: Any, case: Case) -> Case:
    """The answer is prepared as drafted, approved by somebody else, and what it commands is recorded."""
    handler, url = signed_in(office.handler), reverse("console:submit", args=[case.pk])
    form = handler.get(url).context["form"]
    typed = {name: form[name].value() or "" for name in ("title", "body", "reasons", "reason_code")}
    sent = handler.post(url, {**typed, "version": again(case).version})
    assert sent.status_code == 303, sent.context["form"].errors
    dpo = signed_in(office.dpo)
    shown = dpo.get(reverse("dpo:decision", args=[case.pk]))
    dpo.post(reverse("dpo:approve", args=[case.pk]), {"version": shown.context["case"].version})
    run_jobs()
    for task in FulfilmentTask.objects.filter(case=case, state="open"):
        done = act(handler, case, "task", task, result="done", evidence="Done, and looked at.")
        assert done.status_code == 303
    run_jobs()
    return again(case)


def told(case: Case) -> Any:
    return story.tell(story.cases_of(case.subject_request), timezone.now())[0]


def test_restriction_from_the_call_to_its_end(office):
    case = asked(office, Right.RESTRICTION, restriction_ground="ACCURACY", restriction_what="My address")
    handler, dpo = signed_in(office.handler), signed_in(office.dpo)
    first = handler.get(page(case)).context["next"]
    form = handler.get(form_of(case)).context["form"]
    source = SourceSystem.objects.get()
    assert (first.title, form["ground"].value(), form["sources"].value()) == (
        "Say what is restricted, and why",
        "ACCURACY",
        [str(source.pk)],
    )

    chosen = {
        "ground": "ACCURACY",
        "sources": [str(source.pk)],
        "words": "The address.",
        "version": case.version,
    }
    assert handler.post(form_of(case), chosen).status_code == 303
    case = answered(office, case)

    assert (case.state, case.outcome) == (State.CLOSED, Outcome.FULFILLED)
    assert RestrictedPlace.objects.get().state == PlaceState.MARKED
    letter = Letter.objects.get(case=case, kind="done").body
    assert "We restrict the data while we check whether it is accurate." in letter
    assert "restricted" in str(told(case).stage.title).lower()

    made = Restriction.objects.get()
    lift = reverse("console:lift", args=[case.pk, made.pk])
    given = {"reason": "It is right.", "lifts_on": timezone.localdate().isoformat(), "version": case.version}
    drafted = handler.post(lift, {**given, "draft": "1"}).context["form"]
    words = {name: drafted[name].value() for name in ("title", "body")}
    assert handler.post(lift, {**given, **words}).status_code == 303
    assert [one.pk for one in dpo.get(reverse("dpo:approvals")).context["liftings"]] == [made.pk]
    assert act(dpo, case, "agree-to-lift", made).status_code == 303
    assert act(handler, case, "lift-restriction", made).status_code == 422
    run_jobs()
    assert act(handler, case, "lift-restriction", made).status_code == 303

    made.refresh_from_db()
    place = RestrictedPlace.objects.get()
    assert (made.is_in_force, place.state) == (False, PlaceState.TO_FREE)
    assert act(handler, case, "free-place", place, evidence="Flag taken away.").status_code == 303
    assert RestrictedPlace.objects.get().state == PlaceState.FREED


def test_restriction_is_shown_wherever_staff_meet_the_person(office):
    case = asked(office, Right.RESTRICTION)
    handler, source = signed_in(office.handler), SourceSystem.objects.get()
    handler.post(
        form_of(case),
        {"ground": "ACCURACY", "sources": [str(source.pk)], "words": "", "version": case.version},
    )
    answered(office, case)
    later = asked(office, Right.ACCESS)

    agent, dpo = signed_in(office.agent), signed_in(office.dpo)
    pages = [
        handler.get(page(later)),
        agent.get(page(later)),
        agent.get(reverse("console:request", args=[later.subject_request_id])),
        agent.post(reverse("console:log-who"), {"brand": str(office.brand.pk), "email": "ada@example.com"}),
        agent.get(reverse("console:requests")),
    ]
    assert ["Use restricted" in shown.content.decode() for shown in pages] == [True] * 5
    stranger = agent.post(
        reverse("console:log-who"), {"brand": str(office.brand.pk), "email": "bob@example.com"}
    )
    assert "Use restricted" not in stranger.content.decode()
    assert "restricted" in dpo.get(page(later)).content.decode()


def test_objection_is_weighed_and_refused_under_its_exception(office):
    case = asked(office, Right.OBJECTION, objection_use="Fraud checks", objection_reasons="I dislike it.")
    handler = signed_in(office.handler)
    form = handler.get(form_of(case)).context["form"]
    assert (form["use"].value(), form["reasons"].value()) == ("Fraud checks", "I dislike it.")
    source = str(SourceSystem.objects.get().pk)
    assert act(handler, case, "restrict-meanwhile", sources=[source], words="").status_code == 303

    typed = {
        "use": "Fraud checks",
        "basis": "LEGITIMATE_INTERESTS",
        "reasons": "I dislike it.",
        "grounds": "A claim against the person is pending.",
        "result": "CLAIMS",
        "weighing": "The data is needed in court until the claim is decided.",
        "version": again(case).version,
    }
    assert handler.post(form_of(case), typed).status_code == 303
    shown = signed_in(office.dpo).get(page(case)).content.decode()
    case = answered(office, case)

    assert (case.state, case.outcome) == (State.CLOSED, Outcome.REFUSED)
    letter = Letter.objects.get(case=case, kind="refusal").body
    assert "needed in court until the claim is decided" in letter
    assert "This is about: Fraud checks" in letter
    assert "needed to make or defend legal claims" in letter
    assert ("Objection is being decided" in shown, Restriction.objects.get().is_in_force) == (True, True)
    assert "still rests" in handler.get(page(case)).content.decode()
    assert Letter.objects.filter(case=case, kind="restricted").count() == 1


def test_objection_that_is_not_weighed_keeps_what_was_typed(office):
    case = asked(office, Right.OBJECTION)

    answer = signed_in(office.handler).post(
        form_of(case), {"use": "Scoring", "basis": "PUBLIC_TASK", "weighing": "", "version": case.version}
    )

    assert (answer.status_code, Balancing.objects.count()) == (422, 0)
    assert answer.context["form"]["use"].value() == "Scoring"


def test_marketing_stops_from_the_call_to_the_letter(office):
    case = asked(office, Right.OBJECTION, about_marketing="on", objection_use="Nothing of this is kept")
    assert (case.state, case.subject_request.particulars) == (State.FULFILLING, {})
    handler = signed_in(office.handler)
    assert handler.get(form_of(case)).status_code == 404

    for task in FulfilmentTask.objects.filter(case=case):
        act(handler, case, "task", task, result="done", evidence="Off every list.")
    run_jobs()

    assert (again(case).state, again(case).outcome) == (State.CLOSED, Outcome.FULFILLED)
    assert "stopped" in Letter.objects.get(case=case, kind="done").body
    held = SuppressionEntry.objects.values_list("kind", "purpose", "origin")
    assert list(held) == [("email", "marketing", "objection")]


def test_data_goes_along_without_what_was_worked_out(office):
    SourceSystem.objects.update(
        portable={
            "basis": "contract",
            "origin": "provided",
            "collections": {
                "notes": {"origin": "inferred"},
                "people": {"fields": {"phone_number": "derived"}},
            },
        }
    )
    case = asked(
        office, Right.PORTABILITY, portability_to="New Power Ltd", portability_address="in@np.example"
    )
    handler = signed_in(office.handler)
    shown = {one.group.collection: one for one in handler.get(form_of(case)).context["reaches"]}
    assert (bool(shown["notes"].why_not), shown["people"].fields) == (True, ("phone_number",))
    act(handler, case, "give-the-rest")

    case = answered(office, case)

    decided = dict(Item.objects.values_list("collection", "decision"))
    assert decided == {"notes": ItemDecision.WITHHOLD, "people": ItemDecision.REDACT}
    assert (case.state, case.outcome) == (State.CLOSED, Outcome.PARTLY_FULFILLED)
    task = FulfilmentTask.objects.get(case=case, verb="transfer")
    assert (task.what, task.evidence) == ("New Power Ltd\nin@np.example", "Done, and looked at.")
    assert "New Power Ltd directly" in Letter.objects.get(case=case, kind="passed_on").body
    told = Letter.objects.get(case=case, kind="answer").body
    assert "only what you gave us" in told
    assert "JSON" in told
    data = next(one for one in PackFile.objects.all() if one.file.name.endswith("data.json"))
    content = b"".join(files.read(data.file)).decode()
    assert ("Ada Example" in content, "+44 20" in content, "Called about" in content) == (True, False, False)


def test_person_who_had_no_part_looks_again(office):
    case = asked(
        office,
        Right.AUTOMATED,
        automated_decision="The loan of 3 May",
        automated_representations="I earn more.",
    )
    handler, other = signed_in(office.handler), signed_in(office.other)
    form = handler.get(form_of(case)).context["form"]
    assert (form["about"].value(), form["representations"].value()) == ("The loan of 3 May", "I earn more.")
    typed = {
        "about": "The loan of 3 May was refused.",
        "basis": "HUMAN_INTERVENTION",
        "is_special": "on",
        "special_basis": "Explicit consent of 2 May.",
        "logic": "Income and debts are added up.",
        "representations": "I earn more.",
        "involved": [str(office.handler.pk)],
        "reviewer": str(office.other.pk),
        "version": case.version,
    }
    assert handler.post(form_of(case), {**typed, "reviewer": str(office.handler.pk)}).status_code == 422
    assert handler.post(form_of(case), typed).status_code == 303
    look = SecondLook.objects.get()
    found = {"finding": "changed", "reasons": "The income was read wrongly.", "had_no_part": "on"}
    own = act(handler, case, "look-ended", look, **found)
    assert (own.status_code, SecondLook.objects.get().finding) == (422, "")
    assert act(other, case, "look-ended", look, **found).status_code == 303

    case = answered(office, case)

    letter = Letter.objects.get(case=case, kind="done").body
    assert (case.state, case.outcome) == (State.CLOSED, Outcome.FULFILLED)
    assert [
        part in letter
        for part in (
            "The decision is changed.",
            "The income was read wrongly.",
            "Income and debts are added up.",
        )
    ] == [True] * 3
    assert FulfilmentTask.objects.get(case=case).verb == "review_decision"


def test_decision_that_stands_needs_no_task(office):
    case = asked(office, Right.AUTOMATED)
    handler, other = signed_in(office.handler), signed_in(office.other)
    typed = {
        "about": "The loan was refused.",
        "basis": "INFORMED",
        "logic": "Income and debts.",
        "reviewer": str(office.other.pk),
        "version": case.version,
    }
    handler.post(form_of(case), typed)
    found = {"finding": "upheld", "reasons": "It is right.", "had_no_part": "on"}
    act(other, case, "look-ended", SecondLook.objects.get(), **found)

    case = answered(office, case)

    assert (case.state, FulfilmentTask.objects.count()) == (State.CLOSED, 0)
    assert "The decision stands." in Letter.objects.get(case=case, kind="done").body


@pytest.mark.parametrize("person", ["agent", "dpo", "reviewer", "auditor", "administrator"])
def test_only_who_works_cases_fills_in_the_forms(office, person):
    case = asked(office, Right.RESTRICTION)
    source = SourceSystem.objects.get()
    client = signed_in(getattr(office, person))

    client.post(form_of(case), {"ground": "ACCURACY", "sources": [str(source.pk)], "version": case.version})

    assert client.get(form_of(case)).status_code == 404
    assert Restriction.objects.count() == 0


def test_forms_of_another_brand_are_not_found(office):
    stranger = make_office()
    case = asked(stranger, Right.OBJECTION)

    assert signed_in(office.handler).get(form_of(case)).status_code == 404


@pytest.mark.parametrize("right", [Right.ACCESS, Right.ERASURE])
def test_rights_without_a_form_have_no_such_page(office, right):
    case = asked(office, right)

    assert signed_in(office.handler).get(form_of(case)).status_code == 404
