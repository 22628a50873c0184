"""Finds methods: those of this package, and those that other packages offer by an entry point.

A package of a third party names its class in the entry-point group ``dsar.identity_methods``; the name of the
entry point is the method's code. A bundled method cannot be replaced by such a package, so that installing a
library never changes what proves a person.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points

from identity.providers.base import About, Method, Setup

ENTRY_POINT_GROUP = "dsar.identity_methods"

BUILT_IN: Mapping[str, str] = {
    "agent_check": "identity.providers.call.method:AgentCheck",
    "customer_login": "identity.providers.login.method:CustomerLogin",
    "email_code": "identity.providers.code.method:EmailCode",
    "external_provider": "identity.providers.external.method:ExternalProvider",
    "identity_document": "identity.providers.document.method:IdentityDocument",
    "record_questions": "identity.providers.record.method:RecordQuestions",
    "sms_code": "identity.providers.code.method:SmsCode",
    "staff_recorded": "identity.providers.staff.method:StaffRecorded",
    "drill": "identity.providers.staff.method:Drill",
}


class UnknownMethod(LookupError):
    """There is no such method, or what is offered under its name does not keep the contract."""


def available() -> tuple[str, ...]:
    """Return the codes of all methods, in order, without importing them."""
    return tuple(sorted({*BUILT_IN, *_offered()}))


@cache
def get(code: str) -> type[Method]:
    """Return the class of this method. Raises UnknownMethod."""
    if code in BUILT_IN:
        module, _, name = BUILT_IN[code].partition(":")
        return _checked(code, getattr(import_module(module), name))
    return _checked(code, _load_offered(code))


def build(code: str, setup: Setup | None = None) -> Method:
    """Make a method ready for use; nobody is contacted. Raises UnknownMethod, ValueError for its settings."""
    return get(code).create(setup or Setup())


def about(code: str) -> About:
    """What a method says of itself. Raises UnknownMethod."""
    return get(code).about


@cache
def known() -> Mapping[str, About]:
    """What every method says of itself; one that cannot be loaded is left out, so that the others work."""
    found: dict[str, About] = {}
    for code in available():
        try:
            found[code] = about(code)
        except UnknownMethod:
            continue
    return found


@cache
def _offered() -> Mapping[str, EntryPoint]:
    return {point.name: point for point in entry_points(group=ENTRY_POINT_GROUP)}


def _load_offered(code: str) -> object:
    point = _offered().get(code)
    if point is None:
        raise UnknownMethod(code)
    try:
        return point.load()
    except (ImportError, AttributeError):
        raise UnknownMethod(code) from None


def _checked(code: str, found: object) -> type[Method]:
    is_whole = isinstance(found, type) and all(hasattr(found, name) for name in _REQUIRED)
    if not is_whole or found.about.code != code:  # type: ignore[attr-defined]
        raise UnknownMethod(code)
    return found  # type: ignore[return-value]


_REQUIRED = ("about", "create", "begin", "step")
