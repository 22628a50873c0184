"""Signing in: e-mail and password, or a passkey."""

from collections.abc import Callable
from functools import wraps

from django.contrib.auth import authenticate, login
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from dsar.audit.actions import Action
from dsar.audit.record import Actor, record, record_whatever_happens
from identity import limits, passkeys, second_factor, sessions
from identity.models import User
from identity.whereabouts import client_address

View = Callable[[HttpRequest], HttpResponse]


class LockedOut(Exception):
    """Too many wrong passwords."""

    def __init__(self, over: limits.Over) -> None:
        super().__init__(over.limit.what)
        self.over = over


class PasswordBackend(ModelBackend):
    """E-mail in any case, and Argon2. What a person may do is the teams' matter, not Django's."""

    def has_perm(self, *args: object, **kwargs: object) -> bool:
        return False

    def user_can_authenticate(self, user: AbstractBaseUser | AnonymousUser | None) -> bool:
        """Whether this is a person who works here; asked again with every page, so leaving takes effect at once."""
        return isinstance(user, User) and may_enter(user)


def may_enter(person: User) -> bool:
    """Whether this is a person who works here."""
    return person.is_active and not person.is_principal


def check_password(request: HttpRequest, email: str, password: str) -> User | None:
    """The person whose password this is; a refusal is put on record.

    The try was counted before: only what was right is forgiven here.
    """
    person = authenticate(request, username=email, password=password)
    if isinstance(person, User):
        limits.forgive(_tries(request, account_of(email)))
        return person
    put_on_record(Action.SIGN_IN_FAILED, email)
    return None


def is_own_password(request: HttpRequest, person: User, password: str) -> bool:
    """Whether the person who is signed in knows their password; counted together with the tries at the door.

    Only what is weighed is counted, so that it cannot be done before the page is called. The view's transaction keeps
    the count: after a wrong password it does no more than say so. Raises LockedOut after too many.
    """
    over = limits.take(_tries(request, account_of(person.email)), timezone.now(), actor="staff")
    if over is not None:
        raise LockedOut(over)
    return check_password(request, person.email, password) == person


def turns_guessers_away(view: View) -> View:
    """A view that asks for one's own password: after too many wrong ones it says for how long."""

    @wraps(view)
    def guarded(request: HttpRequest) -> HttpResponse:
        try:
            return view(request)
        except LockedOut as locked:
            return limits.refuse(request, locked.over)

    return guarded


def _tries(request: HttpRequest, who: str) -> list[limits.Try]:
    return [(limits.PASSWORD, place(request, who)), (limits.PASSWORD_ANYWHERE, who)]


def begin(request: HttpRequest, person: User, destination: str) -> None:
    """Open a session that has passed the password alone, under a new key so that a planted one is worthless."""
    login(request, person, backend="identity.signin.PasswordBackend")
    sessions.begin(request, destination)


def enter_with_passkey(request: HttpRequest, answer: str, destination: str) -> bool:
    """Open a session by a passkey alone, whose authenticator has verified its user; False where it is refused."""
    try:
        passkey = passkeys.prove(request, None, answer)
    except passkeys.PasskeyRefused:
        record_whatever_happens(Action.SIGN_IN_FAILED, Actor("staff"), timezone.now(), data={"by": "passkey"})
        return False
    person = passkey.user
    if not may_enter(person):
        record_whatever_happens(Action.SIGN_IN_FAILED, person.actor, timezone.now(), data={"by": "passkey"})
        return False
    begin(request, person, destination)
    second_factor.complete(request, person, passkey, "passkey_alone")
    return True


def account(request: HttpRequest) -> str:
    """The account whose password is asked for: one's own, or the one that a sign-in form names."""
    if isinstance(request.user, User):
        return account_of(request.user.email)
    return account_of(request.POST.get("email", ""))


def account_of(email: str) -> str:
    """Under which name tries are counted: the same for every way to write the address."""
    return email.strip().lower()


def place(request: HttpRequest, who: str) -> str:
    """An account as it is tried from one network."""
    return f"{who}|{limits.network_of(client_address(request))}"


def put_on_record(action: Action, email: str) -> None:
    """A refusal at the door; whose account it is by id, where there is one."""
    known = User.objects.filter(email__iexact=email.strip()).values_list("pk", flat=True).first()
    record_whatever_happens(action, Actor("staff", known), timezone.now())


def sign_out(request: HttpRequest, person: User, reason: sessions.Reason) -> None:
    """End the session, and say on the record why."""
    record(Action.SIGNED_OUT, person.actor, timezone.now(), data={"reason": reason.value})
    sessions.end(request)
