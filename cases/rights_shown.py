"""The other rights in words, for whoever prepares an answer and whoever approves it."""

from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cases import rights
from cases.law import loader as law
from cases.models import Balancing, Case, RestrictedPlace, Restriction, SecondLook
from cases.words import Right
from cases.workflow import second_look
from identity.models import User

# What was said beside the words, by right: the name of each particular.
SAID: dict[str, dict[str, Any]] = {
    Right.RESTRICTION: {"ground": gettext_lazy("Why"), "what": gettext_lazy("What is not to be used")},
    Right.OBJECTION: {"use": gettext_lazy("Which use"), "reasons": gettext_lazy("Their reasons")},
    Right.PORTABILITY: {
        "to": gettext_lazy("To whom it shall go"),
        "address": gettext_lazy("Where it is sent"),
    },
    Right.AUTOMATED: {
        "decision": gettext_lazy("Which decision"),
        "representations": gettext_lazy("What they say to it"),
    },
}


def chosen(case: Case) -> dict[str, Any] | None:
    """What a request to restrict is answered with: ground, systems and words; None for other rights."""
    found = rights.restriction_of(case) if case.right == Right.RESTRICTION else None
    if found is None:
        return None
    places = [str(place.source) if place.source else _("our own files") for place in _places(found)]
    return {
        "ground": rights.ground_words("restriction_trigger", found.ground, case.regime),
        "places": places,
        "words": found.words,
    }


def _places(found: Restriction) -> "QuerySet[RestrictedPlace]":
    placed: QuerySet[RestrictedPlace] = found.places.select_related("source")
    return placed


def answered_from(case: Case) -> dict[str, Any]:
    """What the answer of such a case rests on, for whoever prepares and whoever approves it."""
    weighed = case.balancings.select_related("weighed_by", "case")
    looks = list(case.looks.select_related("reviewer", "named_by", "case").order_by("-named_at"))
    return {
        "balancings": [_weighed(case, one) for one in weighed.order_by("-weighed_at")],
        "looks": [_looked(case, one) for one in looks],
        "limits": limits(case) if any(one.is_special for one in looks) else [],
    }


def _weighed(case: Case, one: Balancing) -> dict[str, Any]:
    return {
        "made": one,
        "basis": rights.ground_words("objection_ground", one.basis, case.regime),
        "exception": rights.ground_words("objection_exception", one.exception, case.regime)
        if one.goes_on
        else "",
    }


def _looked(case: Case, one: SecondLook) -> dict[str, Any]:
    people = User.objects.filter(pk__in=one.involved).order_by("full_name")
    names = [
        *people.values_list("full_name", flat=True),
        *([one.involved_others] if one.involved_others else []),
    ]
    bases = {ground.code: f"{_(ground.name)} ({ground.provision})" for ground in second_look.bases(case)}
    return {"made": one, "basis": bases.get(one.basis, one.basis), "involved": ", ".join(names)}


def said_words(case: Case) -> list[tuple[str, str]]:
    """What was said about the right beside the words, each with its name."""
    said, names = rights.said(case), SAID.get(case.right, {})
    shown = [(str(names[key]), _of_code(case, key, value)) for key, value in said.items() if key in names]
    return [(name, value) for name, value in shown if value]


def _of_code(case: Case, key: str, value: str) -> str:
    return rights.ground_words("restriction_trigger", value, case.regime) if key == "ground" else value


def limits(case: Case) -> list[law.Ground]:
    """What the law says of automated decisions on special categories; shown where one is looked at again."""
    if case.right != Right.AUTOMATED:
        return []
    return list(law.grounds_for("automated_limit", case.regime))
