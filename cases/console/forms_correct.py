"""What is typed to put right what was logged in haste."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cases.console.forms_agent import RIGHTS, PersonFields, lines
from cases.console.forms_request import Moment
from cases.models import Case, SubjectRequest
from cases.words import Right
from identity.models import Controller


class CorrectForm(forms.Form):
    """Every correction gives its reason."""

    why = forms.CharField(
        label=gettext_lazy("Why is it corrected?"),
        widget=forms.Textarea(attrs={"rows": 2}),
        max_length=2000,
        error_messages={"required": gettext_lazy("Give the reason; it stays on record.")},
    )

    @property
    def reason(self) -> str:
        return str(self.cleaned_data["why"])

    def case_of(self, found: SubjectRequest) -> Case | None:
        """Which of the request's cases is meant; None where all of them are."""
        return None


class DateForm(Moment, CorrectForm):
    field_order = ("said_on", "said_at_hour", "why")


class PersonForm(PersonFields, CorrectForm):
    postal_address = lines(gettext_lazy("Postal address"), 3)

    field_order = (*PersonFields.PERSON, "postal_address", "why")

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if not self.errors and not any(data.get(name) for name in self.PERSON):
            self.add_error("name", _("Say who the person is: a name, an address or a number."))
        return data


class RightForm(CorrectForm):
    """Which of the cases, and which right it really is."""

    case_id = forms.ChoiceField(label=gettext_lazy("What was logged"), widget=forms.RadioSelect)
    becomes = forms.ChoiceField(
        label=gettext_lazy("What they really want"),
        choices=[(right.value, right.label) for right in RIGHTS],
        widget=forms.RadioSelect,
    )

    field_order = ("case_id", "becomes", "why")

    def __init__(self, cases: Sequence[Case], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.cases = {str(case.pk): case for case in cases}
        field = self.fields["case_id"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [
            (key, f"{case.get_right_display()} ({case.reference})") for key, case in self.cases.items()
        ]
        if len(cases) == 1:
            field.initial = next(iter(self.cases))

    @property
    def right(self) -> Right:
        return Right(self.cleaned_data["becomes"])

    def case_of(self, found: SubjectRequest) -> Case | None:
        return self.cases[self.cleaned_data["case_id"]]


class BrandForm(CorrectForm):
    brand = forms.ChoiceField(
        label=gettext_lazy("The right brand"),
        error_messages={"required": gettext_lazy("Choose the brand.")},
    )

    field_order = ("brand", "why")

    def __init__(self, brands: Sequence[Controller], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.brands = {str(brand.pk): brand for brand in brands}
        field = self.fields["brand"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [
            ("", _("Choose the brand")),
            *((key, brand.name) for key, brand in self.brands.items()),
        ]

    @property
    def chosen(self) -> Controller:
        return self.brands[self.cleaned_data["brand"]]
