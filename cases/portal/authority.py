"""Showing that one may ask for somebody else: the form, and what the request's page says of it."""

from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cases import authority
from cases.models import SubjectRequest
from cases.portal.forms import PagesField, PlainForm
from cases.portal.words import Words
from cases.representing import taken
from cases.workflow.authority import is_wanted
from identity.evidence.intake import Picture


class AuthorityForm(PlainForm):
    """Pages of what shows it."""

    copies = PagesField(
        label=gettext_lazy("Your pictures or PDF"),
        help_text=gettext_lazy("At most 24 pages, and 15 MB each file. Send all that belong together."),
        required=True,
        error_messages={"required": gettext_lazy("Take or choose a picture, or a PDF.")},
    )

    def take(self) -> list[Picture] | None:
        """The pages, clean; None with errors beside the field where one is refused."""
        found = taken(self, "copies", self.cleaned_data["copies"])
        return None if self.errors else found


@dataclass(frozen=True)
class Card:
    """What the request's page says of it."""

    title: Words
    text: Words
    label: Words


_WANTED = Card(
    gettext_lazy("Show that you may ask"),
    gettext_lazy("You ask for somebody else. Send us a picture or a PDF of what shows that you may."),
    gettext_lazy("Send it now"),
)
_WAITING = Card(
    gettext_lazy("We have what you sent"),
    gettext_lazy("It waits for somebody of our team to look at it. If a page is missing you can add it."),
    gettext_lazy("Add a page"),
)


def card_of(request: SubjectRequest) -> Card | None:
    """What is missing, or that it waits; None where nobody asks for somebody else, or it is settled."""
    if request.representative_id is None or not is_wanted(request):
        return None
    codes = {case.authority for case in request.cases.all() if case.is_open}
    return _WAITING if authority.UNJUDGED in codes else _WANTED


def asks_of(request: SubjectRequest) -> list[tuple[str, str]]:
    """What the law accepts from this representative: its name, and what to send."""
    cases = [case for case in request.cases.select_related("subject_request__representative") if case.is_open]
    named = {one.code: (_(one.name), _(one.asks)) for case in cases for one in authority.mandates(case)}
    return list(named.values())
