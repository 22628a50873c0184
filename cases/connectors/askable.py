"""Reads ``desk_meta: {askable: …}`` of a field: that a person may be asked for its value to show who they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from fideslang.models import DatasetField
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from cases.connectors.description import Askable
from cases.connectors.questions import FactKind

# Whoever guesses hits one in so many.
FEWEST_CHOICES = 4
# What is on every letter, or in every telephone book, shows nobody.
PUBLIC = ("user.name", "user.contact.email", "user.contact.phone_number", "user.contact.url", "user.social")


@dataclass(frozen=True, slots=True)
class Neighbours:
    """What stands beside a field in its collection."""

    names: frozenset[str]
    has_identity: bool


class _Written(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class _Askable(_Written):
    kind: str
    question: Annotated[
        dict[Annotated[str, Field(pattern=r"^[a-z]{2}$")], Annotated[str, Field(min_length=5)]],
        Field(min_length=1),
    ]
    choices: list[str] = []
    newest_by: str = ""

    @model_validator(mode="after")
    def _fits_its_kind(self) -> _Askable:
        kinds = [kind.value for kind in FactKind]
        if self.kind not in kinds:
            raise ValueError(f"there is no kind “{self.kind}”; there are {', '.join(kinds)}.")
        if self.kind == FactKind.CHOICE and len(set(self.choices)) < FEWEST_CHOICES:
            raise ValueError(f"a choice has at least {FEWEST_CHOICES} different values, or it is guessed.")
        if self.kind != FactKind.CHOICE and self.choices:
            raise ValueError("only a choice has choices.")
        return self


class _Own(_Written):
    askable: _Askable | None = None
    contact_changed: bool = False
    takes_statements: bool = False


def askable_of(
    meta: Any, item: DatasetField, beside: Neighbours, *, is_inner: bool
) -> tuple[str, Askable | None]:
    """The declaration, or a sentence that says what is wrong with it."""
    try:
        written = _Own.model_validate(meta).askable
    except ValidationError as error:
        (first, *_) = error.errors(include_url=False, include_context=False, include_input=False)
        place = ".".join(str(step) for step in first["loc"])
        said = first["msg"].removeprefix("Value error, ").rstrip(".")
        return f"{place}: {said}.", None
    if written is None:
        return "", None
    problem = _misplaced(written, item, beside, is_inner=is_inner)
    if problem:
        return problem, None
    return "", Askable(written.kind, dict(written.question), tuple(written.choices), written.newest_by)


def _misplaced(written: _Askable, item: DatasetField, beside: Neighbours, *, is_inner: bool) -> str:
    meta, categories = item.fides_meta, [str(one) for one in item.data_categories or []]
    if is_inner:
        return "only fields of the collection itself can be asked for."
    if meta and (meta.identity or meta.primary_key or meta.references):
        return "what a person is found by is not asked for: whoever asks has named it."
    if any(one == public or one.startswith(f"{public}.") for one in categories for public in PUBLIC):
        return "it is public, or told to everybody, and shows nobody."
    if written.newest_by and written.newest_by not in beside.names:
        return f"newest_by: there is no field “{written.newest_by}” beside it."
    if not written.newest_by and not beside.has_identity:
        return "there may be several rows of a person: say by which field the newest is told (newest_by)."
    return ""
