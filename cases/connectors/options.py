"""Checks what an operator stated against what a connector declares."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from cases.connectors.base import JSON, ConfigurationError, Option, OptionKind, Setup


@dataclass(frozen=True, slots=True)
class Settings:
    """Options and secrets, checked and with their defaults; secrets stay out of the repr."""

    values: Mapping[str, str | int | None]
    secrets: Mapping[str, str] = field(repr=False)

    def text(self, name: str) -> str:
        """Return a text option, empty when it was left out."""
        value = self.values.get(name)
        return "" if value is None else str(value)

    def number(self, name: str) -> int:
        """Return a number option, 0 when it was left out and has no default."""
        value = self.values.get(name)
        return value if isinstance(value, int) else 0

    def secret(self, name: str) -> str | None:
        """Return a secret, or None when it was left out."""
        return self.secrets.get(name) or None


def read_settings(declared: Sequence[Option], setup: Setup) -> Settings:
    """Check a set-up against the declared options.

    Raises ConfigurationError, naming options and never values.
    """
    plain = {option.name: option for option in declared if not option.secret}
    secret = {option.name: option for option in declared if option.secret}
    _refuse_unknown(plain, secret, setup)
    values = {name: _read(option, setup.options.get(name)) for name, option in plain.items()}
    _require(secret.values(), setup.secrets)
    return Settings(values=values, secrets=dict(setup.secrets))


def _refuse_unknown(plain: Mapping[str, Option], secret: Mapping[str, Option], setup: Setup) -> None:
    for name in setup.options:
        if name in secret:
            raise ConfigurationError(f"“{name}” is a secret and was given among the open options.")
        if name not in plain:
            raise ConfigurationError(f"there is no option “{name}”; there are {', '.join(plain) or 'none'}.")
    for name in setup.secrets:
        if name not in secret:
            raise ConfigurationError(f"there is no secret “{name}”; there are {', '.join(secret) or 'none'}.")


def _require(options: Iterable[Option], given: Mapping[str, str]) -> None:
    for option in options:
        if option.required and not given.get(option.name):
            raise ConfigurationError(f"“{option.label}” ({option.name}) is missing.")


def _read(option: Option, given: JSON) -> str | int | None:
    if given is None or given == "":
        if option.required and option.default is None:
            raise ConfigurationError(f"“{option.label}” ({option.name}) is missing.")
        return option.default
    if option.kind is OptionKind.NUMBER:
        return _read_number(option, given)
    return _read_text(option, given)


def _read_text(option: Option, given: JSON) -> str:
    if not isinstance(given, str):
        raise ConfigurationError(f"“{option.label}” ({option.name}) must be text.")
    if option.kind is OptionKind.CHOICE and given not in option.choices:
        raise ConfigurationError(
            f"“{option.label}” ({option.name}) must be one of {', '.join(option.choices)}."
        )
    return given.strip()


def _read_number(option: Option, given: JSON) -> int:
    try:
        number = int(given) if isinstance(given, int | str) and not isinstance(given, bool) else None
    except ValueError:
        number = None
    if number is None:
        raise ConfigurationError(f"“{option.label}” ({option.name}) must be a whole number.")
    low, high = option.minimum, option.maximum
    if (low is not None and number < low) or (high is not None and number > high):
        raise ConfigurationError(f"“{option.label}” ({option.name}) must be between {low} and {high}.")
    return number
