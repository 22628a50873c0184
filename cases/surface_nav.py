"""What the shell of the staff surfaces shows: the navigation by permission, the brands, the search box."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cases.models import Case, CollectionStop
from cases.words import State
from cases.workflow import reminders
from identity import sessions
from identity.models import Controller, User
from identity.roles import Permission

COUNTED_UP_TO = 99
BRANDS_NAMED = 3


@dataclass(frozen=True)
class Entry:
    """One way in, for whoever holds one of the permissions."""

    name: str
    label: Any
    shortcut: str
    permissions: tuple[Permission, ...]
    count: Callable[[User], int] | None = None


@dataclass(frozen=True)
class Item:
    """An entry as the shell shows it."""

    label: str
    url: str
    current: bool
    count: int | None
    shortcut: str


def mine(user: User) -> int:
    """How many open cases lie with this person; counted up to a limit, since a badge needs no more."""
    open_ones = Case.objects.visible_to(user).counted().filter(owner=user).exclude(state=State.CLOSED)
    return int(open_ones[:COUNTED_UP_TO].count())


def reminded(user: User) -> int:
    """Of how many dates this person is reminded at present."""
    return int(reminders.notices_for(user)[:COUNTED_UP_TO].count())


_READS_CONTENT = (Permission.WORK, Permission.APPROVE, Permission.OVERSEE)

ENTRIES = (
    Entry("console:log", gettext_lazy("Log a request"), "g l", (Permission.LOG_REQUEST,)),
    Entry("console:queue", gettext_lazy("Queue"), "g q", _READS_CONTENT, mine),
    Entry("console:reminders", gettext_lazy("Reminders"), "g r", _READS_CONTENT, reminded),
    Entry("console:requests", gettext_lazy("Find a request"), "g f", (Permission.VIEW_CASE,)),
    Entry(
        "dpo:approvals",
        gettext_lazy("Approvals"),
        "g a",
        (Permission.APPROVE, Permission.APPROVE_FOR_CONTROLLER),
    ),
    Entry("dpo:oversight", gettext_lazy("Oversight"), "g o", (Permission.OVERSEE,)),
    Entry("dpo:trail", gettext_lazy("Trail"), "g t", (Permission.READ_TRAIL,)),
    Entry(
        "identity:emergency",
        gettext_lazy("Emergency access"),
        "g e",
        (Permission.BREAK_GLASS, Permission.OVERSEE),
    ),
    Entry(
        "identity:policies",
        gettext_lazy("Identity policies"),
        "g i",
        (Permission.ADMINISTER, Permission.OVERSEE),
    ),
    Entry(
        "dpo:retention",
        gettext_lazy("What we keep"),
        "g k",
        (Permission.ADMINISTER, Permission.OVERSEE),
    ),
    Entry("administration:sources", gettext_lazy("Source systems"), "g s", (Permission.ADMINISTER,)),
    Entry("administration:recipients", gettext_lazy("Recipients"), "g c", (Permission.ADMINISTER,)),
    Entry("identity:people", gettext_lazy("People"), "g p", (Permission.ADMINISTER,)),
)

# In a demonstration, the page that stands in for everybody's mailbox.
_OUTBOX = Entry("console:outbox", gettext_lazy("Outbox"), "g b", ())

# Where somebody's day begins, by what they are here for; the first that they may open.
HOMES = (
    ("console:queue", (Permission.WORK,)),
    ("console:log", (Permission.LOG_REQUEST,)),
    ("dpo:approvals", (Permission.APPROVE, Permission.APPROVE_FOR_CONTROLLER)),
    ("dpo:oversight", (Permission.OVERSEE,)),
    ("dpo:trail", (Permission.READ_TRAIL,)),
    ("identity:people", (Permission.ADMINISTER,)),
    ("identity:emergency", (Permission.BREAK_GLASS,)),
)


def shell(request: HttpRequest) -> dict[str, Any]:
    """Context for base_console.html. Nothing is read until a page shows it: the portal's pages do not."""
    user = getattr(request, "user", None)
    if not isinstance(user, User) or not sessions.is_verified(request):
        return {}
    return {
        "nav": SimpleLazyObject(lambda: _items(request, user)),
        "brand_context": SimpleLazyObject(lambda: _brands(user)),
        "search_url": reverse("console:requests") if user.access.anywhere(Permission.VIEW_CASE) else "",
        "home_url": reverse("console:home"),
        "stops": SimpleLazyObject(stops),
    }


def stops() -> list[CollectionStop]:
    """Where collection is stopped, of the brands that this person works for: told on every page."""
    lying = CollectionStop.objects.filter(lifted_at=None)
    return list(lying.select_related("controller", "stopped_by").order_by("stopped_at"))


def first_page(request: HttpRequest) -> str:
    """The address where this person's work begins; their account where no surface is theirs."""
    user = request.user
    assert isinstance(user, User)
    for name, permissions in HOMES:
        if _may(user, permissions):
            return reverse(name)
    return reverse("identity:account")


def _items(request: HttpRequest, user: User) -> list[Item]:
    shown = [entry for entry in ENTRIES if _may(user, entry.permissions)]
    return [_item(request, user, entry) for entry in (*shown, *([_OUTBOX] if settings.OUTBOX else []))]


def _item(request: HttpRequest, user: User, entry: Entry) -> Item:
    return Item(
        label=str(entry.label),
        url=reverse(entry.name),
        current=request.resolver_match is not None and request.resolver_match.view_name == entry.name,
        count=entry.count(user) if entry.count else None,
        shortcut=entry.shortcut,
    )


def _may(user: User, permissions: tuple[Permission, ...]) -> bool:
    return any(user.access.anywhere(permission) for permission in permissions)


def _brands(user: User) -> str:
    """The brands served, by name; beyond a few, how many."""
    names = list(Controller.objects.filter(pk__in=user.access.by_controller).values_list("name", flat=True))
    if len(names) > BRANDS_NAMED:
        return _("%(count)d brands") % {"count": len(names)}
    return ", ".join(names)
