"""A state field on django-fsm-2 that cannot be assigned, and whose model can be refreshed.

The library's own mixin switches the protection off on the class while it refreshes, for every thread; here
it is one object that says it is being refreshed. A state that was not loaded is protected as well.
"""

from collections.abc import Iterable
from typing import Any

from django.db import models
from django_fsm import FSMField, FSMFieldDescriptor, Transition

REFRESHING = "_is_refreshing"


class _Descriptor(FSMFieldDescriptor):
    def __set__(self, instance: models.Model, value: Any) -> None:
        if REFRESHING in instance.__dict__:
            instance.__dict__[self.field.attname] = value
        elif not instance._state.adding:
            raise AttributeError(f"Direct {self.field.name} modification is not allowed")
        else:
            super().__set__(instance, value)


class StateField(FSMField):
    """A protected state; migrations see a plain CharField, so that they outlive the library."""

    descriptor_class = _Descriptor

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs["protected"] = True
        kwargs.setdefault("max_length", 30)
        super().__init__(*args, **kwargs)

    def deconstruct(self) -> Any:
        name, _path, args, kwargs = super().deconstruct()
        kwargs.pop("protected", None)
        return name, "django.db.models.CharField", args, kwargs


class StatefulModel(models.Model):
    """A model whose fields include StateFields."""

    class Meta:
        abstract = True

    def refresh_from_db(
        self,
        using: str | None = None,
        fields: Iterable[str] | None = None,
        from_queryset: models.QuerySet[Any] | None = None,
    ) -> None:
        self.__dict__[REFRESHING] = True
        try:
            super().refresh_from_db(using=using, fields=fields, from_queryset=from_queryset)
        finally:
            del self.__dict__[REFRESHING]


def transitions(model: type[models.Model], field_name: str = "state") -> list[Transition]:
    """Every declared transition of the model, one per source, in a stable order."""
    field = model._meta.get_field(field_name)
    assert isinstance(field, StateField)
    found = list(field.get_all_transitions(model))
    return sorted(found, key=lambda transition: (transition.name, str(transition.source)))


def allowed_pairs(model: type[models.Model], field_name: str = "state") -> list[tuple[str, str]]:
    """All (source, target) pairs that the declared transitions allow, sorted."""
    pairs = {
        (str(transition.source), str(target))
        for transition in transitions(model, field_name)
        for target in targets(transition)
    }
    return sorted(pairs)


def targets(transition: Transition) -> list[str]:
    """The states that a transition may end in: several where it returns to where it came from."""
    allowed = getattr(transition.target, "allowed_states", None)
    return [str(state) for state in allowed] if allowed else [str(transition.target)]
