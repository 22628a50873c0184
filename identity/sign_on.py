"""Single sign-on of staff: a trip to the provider and back, whose account it is, and what its groups give."""

from collections.abc import Iterable
from datetime import datetime
from hashlib import sha256
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from dsar.audit.actions import Action
from dsar.audit.record import Actor, Codes, record, record_whatever_happens
from identity import sessions, signin
from identity.models import Membership, SignOnGroup, SignOnIdentity, SignOnProvider, User
from identity.models.sign_on import UnknownPeople
from identity.openid import flow
from identity.openid.flow import Claims, Ticket
from identity.openid.provider import OpenIdRefused

TRIP = "sign_on"
SIGN_IN, LINK, STEP_UP = "sign_in", "link", "step_up"


def offered() -> list[SignOnProvider]:
    """The providers by which staff may sign in."""
    return list(SignOnProvider.objects.filter(is_active=True))


def depart(request: HttpRequest, provider: SignOnProvider, purpose: str, destination: str = "") -> str:
    """Where to send the browser; what it must bring back is kept in its session. Raises OpenIdRefused."""
    address, ticket = flow.begin(provider.connection, back_address(provider), anew=purpose == STEP_UP)
    whose = str(request.user.pk) if request.user.is_authenticated else ""
    request.session[TRIP] = {
        "provider": str(provider.pk),
        "purpose": purpose,
        "whose": whose,
        "destination": destination,
        "ticket": ticket.kept(),
    }
    return address


def back_address(provider: SignOnProvider) -> str:
    """The address that the provider sends the browser back to; it is registered there."""
    return settings.BASE_URL + reverse("identity:sign-on-back", args=[provider.slug])


def arrive(request: HttpRequest, provider: SignOnProvider) -> str:
    """Do what the trip was for, and give its purpose. Raises OpenIdRefused, put on record, where nothing was done."""
    try:
        with transaction.atomic():
            return _arrive(request, provider)
    except OpenIdRefused as refusal:
        codes = {"provider": provider.slug, "reason": refusal.code}
        record_whatever_happens(Action.SIGN_ON_REFUSED, _actor(request), timezone.now(), data=codes)
        raise


def _arrive(request: HttpRequest, provider: SignOnProvider) -> str:
    trip = request.session.pop(TRIP, None)
    whose = str(request.user.pk) if request.user.is_authenticated else ""
    # The answer must come to the browser and the person who asked, from the provider that was asked.
    if trip is None or trip["provider"] != str(provider.pk) or trip["whose"] != whose:
        raise OpenIdRefused("no_trip")
    answer = {name: request.GET[name] for name in request.GET}
    claims = flow.finish(provider.connection, back_address(provider), Ticket.of(trip["ticket"]), answer)
    acts = {SIGN_IN: _sign_in, LINK: _link_own, STEP_UP: _step_up}
    acts[trip["purpose"]](request, provider, claims, trip["destination"])
    return str(trip["purpose"])


def _sign_in(request: HttpRequest, provider: SignOnProvider, claims: Claims, destination: str) -> None:
    person = _person_of(provider, claims)
    if not signin.may_enter(person):
        raise OpenIdRefused("not_active")
    take_groups(provider, person, claims, timezone.now())
    signin.begin(request, person, destination)
    if vouches(provider, claims):
        sessions.vouch(request, provider.pk)
        codes = {"factor": "sign_on", "provider": provider.slug}
        record(Action.SIGNED_IN, person.actor, timezone.now(), data=codes)


def _link_own(request: HttpRequest, provider: SignOnProvider, claims: Claims, destination: str) -> None:
    """Link the account of the person who is signed in here."""
    person = request.user
    assert isinstance(person, User)
    known = _linked(provider, claims)
    if known is not None and known != person:
        raise OpenIdRefused("linked_to_another")
    if known is None:
        _link(provider, person, claims)


def _step_up(request: HttpRequest, provider: SignOnProvider, claims: Claims, destination: str) -> None:
    person = request.user
    if _linked(provider, claims) != person or not vouches(provider, claims):
        raise OpenIdRefused("no_second_factor")
    assert isinstance(person, User)
    sessions.note_factor(request)
    record(Action.STEPPED_UP, person.actor, timezone.now(), data={"factor": "sign_on"})


def vouches(provider: SignOnProvider, claims: Claims) -> bool:
    """Whether the provider says, in a way that the operator trusts, that a second factor was used."""
    return claims.acr in provider.second_factor_acr or bool(
        claims.amr.intersection(provider.second_factor_amr)
    )


# -- whose account -----------------------------------------------------------------------------------


def _person_of(provider: SignOnProvider, claims: Claims) -> User:
    person = _linked(provider, claims)
    if person is not None:
        return person
    if provider.unknown_people == UnknownPeople.REFUSE:
        raise OpenIdRefused("unknown_person")
    email = _verified_email(claims)
    person = User.objects.filter(email__iexact=email, is_principal=False).first()
    if person is None:
        person = _make(provider, claims, email)
    _link(provider, person, claims)
    return person


def _linked(provider: SignOnProvider, claims: Claims) -> User | None:
    found = SignOnIdentity.objects.filter(provider=provider, subject_hash=_subject_hash(claims))
    link = found.select_related("user").first()
    return link.user if link else None


def _verified_email(claims: Claims) -> str:
    """An address that somebody merely typed at the provider names nobody here."""
    email = claims.get("email")
    if claims.get("email_verified") is not True or not isinstance(email, str) or "@" not in email:
        raise OpenIdRefused("email_not_verified")
    return email.strip()


def _make(provider: SignOnProvider, claims: Claims, email: str) -> User:
    """A new member of staff, for whoever is in a group that gives a role."""
    if provider.unknown_people != UnknownPeople.MAKE or not _granted(provider, claims):
        raise OpenIdRefused("unknown_person")
    name = str(claims.get("name") or email.partition("@")[0])
    return User.objects.create_user(email, full_name=name[:120])


def _link(provider: SignOnProvider, person: User, claims: Claims) -> None:
    """One account there for one person here: whoever is linked is not linked to somebody else by an address."""
    if not signin.may_enter(person):
        raise OpenIdRefused("not_active")
    if SignOnIdentity.objects.filter(provider=provider, user=person).exists():
        raise OpenIdRefused("linked_to_another")
    now = timezone.now()
    SignOnIdentity.objects.create(
        provider=provider, user=person, subject_hash=_subject_hash(claims), linked_at=now
    )
    codes = {"of": str(person.pk), "provider": provider.slug}
    record(Action.SIGN_ON_LINKED, person.actor, now, data=codes)


def _subject_hash(claims: Claims) -> bytes:
    return sha256(f"{claims.issuer}|{claims.subject}".encode()).digest()


def linked_by(person: User) -> list[SignOnProvider]:
    """The providers at which the person is known here."""
    return list(SignOnProvider.objects.filter(is_active=True, identities__user=person))


def second_factor_by(person: User) -> SignOnProvider | None:
    """A provider that may see the person's second factor for us."""
    return next((one for one in linked_by(person) if one.second_factor_acr or one.second_factor_amr), None)


def unlink(provider: SignOnProvider, person: User, now: datetime) -> bool:
    """The account there opens nothing here any more; False where it is the person's only way in."""
    if not person.has_usable_password():
        return False
    gone, _ = SignOnIdentity.objects.filter(provider=provider, user=person).delete()
    Membership.objects.filter(user=person, granted_by=provider).delete()
    if gone:
        codes = {"of": str(person.pk), "provider": provider.slug}
        record(Action.SIGN_ON_UNLINKED, person.actor, now, data=codes)
    return True


# -- what groups give --------------------------------------------------------------------------------


def take_groups(provider: SignOnProvider, person: User, claims: Claims, now: datetime) -> None:
    """Give exactly the roles of the groups that the person is in now; what an operator gave stays."""
    wanted = {(group.team_id, group.role): group for group in _granted(provider, claims)}
    present = {(one.team_id, one.role): one for one in Membership.objects.filter(user=person)}
    gone = [one.pk for key, one in present.items() if one.granted_by_id == provider.pk and key not in wanted]
    Membership.objects.filter(pk__in=gone).delete()
    new = [group for key, group in wanted.items() if _differs(present.get(key), group, provider.pk)]
    for group in new:
        _grant(provider, person, group)
    if gone or new:
        codes: Codes = {
            "of": str(person.pk),
            "provider": provider.slug,
            "taken": len(gone),
            "given": len(new),
        }
        record(Action.ROLES_TAKEN_OVER, person.actor, now, data=codes)


def _granted(provider: SignOnProvider, claims: Claims) -> list[SignOnGroup]:
    groups: Iterable[str] = claims.words(provider.groups_claim)
    return list(provider.groups.filter(group__in=list(groups)).order_by("pk"))


def _differs(present: Membership | None, group: SignOnGroup, provider_id: UUID) -> bool:
    if present is None:
        return True
    is_ours = present.granted_by_id == provider_id
    return is_ours and (present.extra, present.withheld) != (group.extra, group.withheld)


def _grant(provider: SignOnProvider, person: User, group: SignOnGroup) -> None:
    Membership.objects.update_or_create(
        user=person,
        team_id=group.team_id,
        role=group.role,
        defaults={"extra": group.extra, "withheld": group.withheld, "granted_by": provider},
    )


def _actor(request: HttpRequest) -> Actor:
    user: Any = request.user
    return user.actor if isinstance(user, User) else Actor("staff")
