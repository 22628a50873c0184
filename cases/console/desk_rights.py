"""What a case's page shows of the other rights: said, chosen, weighed, found, and what can be done about it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from cases import rights, rights_shown
from cases.collection import turns
from cases.console import desk_next
from cases.console.desk_next import Next, Offer, Situation, act_url
from cases.models import Case, PlaceState, RestrictedPlace, Restriction, SecondLook
from cases.review import items
from cases.words import Right, State
from cases.workflow import marking, portability, restriction
from identity.roles import Permission


@dataclass(frozen=True)
class Place:
    """One system of a restriction, and what can be done about it here."""

    place: RestrictedPlace
    name: str
    waits: str
    offers: tuple[Offer, ...]


@dataclass(frozen=True)
class Shown:
    """A restriction as the case's page tells it."""

    made: Restriction
    ground: str
    places: tuple[Place, ...]
    hindrance: str
    offers: tuple[Offer, ...]


@dataclass(frozen=True)
class Reached:
    """A group of records, and whether it can be taken along."""

    group: items.Group
    is_stated: bool
    why_not: str
    fields: tuple[str, ...]


def panel(found: Situation, now: datetime) -> dict[str, Any]:
    """Everything of the other rights that belongs to this case; for those who may see its content."""
    case = found.case
    return {
        "said_words": rights_shown.said_words(case),
        "restrictions": [_shown(found, one, now) for one in _restrictions(case)],
        **rights_shown.answered_from(case),
    }


def reaches(case: Case) -> list[Reached]:
    """What was found, by group, with what cannot be taken along."""
    return [
        Reached(
            group,
            reach is not None,
            rights.ground_words("portability_limit", reach.code, case.regime) if reach and reach.code else "",
            tuple(sorted(reach.fields)) if reach else (),
        )
        for group, reach in portability.reaches_of(case)
    ]


def _restrictions(case: Case) -> list[Restriction]:
    made = case.restrictions.select_related("chosen_by", "lift_proposed_by", "lift_agreed_by", "lifted_by")
    return list(made.prefetch_related("places__source").order_by("-chosen_at"))


def _shown(found: Situation, made: Restriction, now: datetime) -> Shown:
    made.case = found.case
    hindrance = restriction.why_not_lifted(made, now) if made.is_in_force and made.lift_agreed_at else None
    return Shown(
        made,
        rights.ground_words("restriction_trigger", made.ground, found.case.regime),
        tuple(_place(found, made, place, now) for place in made.places.all()),
        str(hindrance) if hindrance else "",
        tuple(offer for offer in _offers(found, made, hindrance is None) if offer.url),
    )


def _place(found: Situation, made: Restriction, place: RestrictedPlace, now: datetime) -> Place:
    name = str(place.source) if place.source else _("our own files")
    is_open = place.state == (PlaceState.TO_MARK if made.is_in_force else PlaceState.TO_FREE)
    if not is_open or place.source is None or not marking.is_for_connector(place):
        offers = _by_hand(found.case, place) if is_open else ()
        return Place(place, name, "", offers if found.may(Permission.WORK) else ())
    hold = turns.held(place.source, now)
    again = Offer(_("Let the connector try again"), act_url(found.case, "mark-again", place), is_post=True)
    offers = (*(() if hold else (again,)), *_by_hand(found.case, place))
    return Place(
        place, name, str(hold.why.label) if hold else "", offers if found.may(Permission.WORK) else ()
    )


def _by_hand(case: Case, place: RestrictedPlace) -> tuple[Offer, ...]:
    """A person records it; what a task speaks of is recorded there."""
    if place.state == PlaceState.TO_FREE:
        return (Offer(_("Record that it is taken away"), act_url(case, "free-place", place)),)
    if place.task_id is None:
        return (Offer(_("Record the mark"), act_url(case, "mark-place", place)),)
    return ()


def _offers(found: Situation, made: Restriction, is_free: bool) -> Iterator[Offer]:
    if not made.is_in_force:
        return
    case, works = found.case, found.may(Permission.WORK)
    if made.lift_proposed_at is None:
        if works:
            yield Offer(_("Propose that it ends"), reverse("console:lift", args=[case.pk, made.pk]))
        return
    if made.lift_agreed_at is None and found.may(Permission.APPROVE):
        yield Offer(_("Look and decide"), act_url(case, "agree-to-lift", made))
    elif made.lift_agreed_at is not None and is_free and works:
        yield Offer(_("Lift it now"), act_url(case, "lift-restriction", made))
    if works or found.may(Permission.APPROVE):
        yield Offer(_("It goes on after all"), act_url(case, "keep-restriction", made))


def next_step(found: Situation) -> Next:
    """The next action: the form of the right where it has one that is not filled in, else as every case."""
    if found.case.state == State.REVIEW and rights.missing(found.case) is not None:
        return _own_form(found)
    if found.case.right == Right.PORTABILITY and found.case.state == State.REVIEW and found.undecided:
        return _portability_next(found)
    return desk_next.next_step(found)


def more(found: Situation) -> list[Offer]:
    """What else can be done, the right's own acts first."""
    return [offer for offer in _own_acts(found) if offer.url] + desk_next.more(found)


def _own_acts(found: Situation) -> Iterator[Offer]:
    case = found.case
    if not found.may(Permission.WORK) or not case.is_open:
        return
    if case.state == State.REVIEW and (case.right == Right.PORTABILITY or _is_filled_in(case)):
        yield Offer(str(_CHANGE[case.right]), reverse("console:right", args=[case.pk]))
    if restriction.may_begin_meanwhile(case) and rights.restriction_of(case) is None:
        yield Offer(_("Let the use rest meanwhile"), act_url(case, "restrict-meanwhile"))


def _is_filled_in(case: Case) -> bool:
    return case.right in rights.OWN_PATH and not case.about_marketing and bool(rights.outcome_of(case))


def _own_form(found: Situation) -> Next:
    url = reverse("console:right", args=[found.case.pk]) if found.may(Permission.WORK) else ""
    look = rights.look_of(found.case) if found.case.right == Right.AUTOMATED else None
    if look is not None:
        return _look_next(found, look, url)
    title, text, label = _BEGIN[found.case.right]
    items_url = reverse("console:review", args=[found.case.pk]) if found.may(Permission.WORK) else ""
    offers = (
        Offer(str(label), url, "primary", shortcut="f"),
        Offer(_("Review the items"), items_url, shortcut="r"),
    )
    return Next(str(title), str(text), tuple(offer for offer in offers if offer.url))


def _portability_next(found: Situation) -> Next:
    url = reverse("console:right", args=[found.case.pk]) if found.may(Permission.WORK) else ""
    text = ngettext(
        "%(count)s record is still to be decided.",
        "%(count)s records are still to be decided.",
        found.undecided,
    )
    offers = (Offer(_("Look what goes along"), url, "primary", shortcut="f"),)
    return Next(
        _("Look what can be taken along"),
        text % {"count": found.undecided},
        tuple(offer for offer in offers if offer.url),
    )


def _look_next(found: Situation, look: SecondLook, url: str) -> Next:
    is_mine = look.reviewer_id == found.by.person_id
    offers = (
        Offer(
            _("Say what you found"),
            act_url(found.case, "look-ended", look) if is_mine else "",
            "primary",
            shortcut="f",
        ),
        Offer(_("Change what is logged"), url),
    )
    return Next(
        _("%(name)s looks at the decision again") % {"name": look.reviewer.full_name},
        _("Nobody else can: they had no part in it. The answer is prepared from what they find."),
        tuple(offer for offer in offers if offer.url),
    )


_CHANGE: dict[str, Any] = {
    Right.RESTRICTION: gettext_lazy("Change ground or systems"),
    Right.OBJECTION: gettext_lazy("Weigh it anew"),
    Right.AUTOMATED: gettext_lazy("Have it looked at once more"),
    Right.PORTABILITY: gettext_lazy("Look what goes along"),
}
_BEGIN: dict[str, tuple[Any, Any, Any]] = {
    Right.RESTRICTION: (
        gettext_lazy("Say what is restricted, and why"),
        gettext_lazy("Choose the ground in law and the systems in which the data is kept and not used."),
        gettext_lazy("Choose ground and systems"),
    ),
    Right.OBJECTION: (
        gettext_lazy("Weigh the objection"),
        gettext_lazy(
            "Put their reasons and our grounds on record. While that lasts, the use of the data can rest at once."
        ),
        gettext_lazy("Weigh the objection"),
    ),
    Right.AUTOMATED: (
        gettext_lazy("Log the decision, and name who looks again"),
        gettext_lazy("Somebody who had no part in the automated decision has to look at it again."),
        gettext_lazy("Log the decision"),
    ),
}
