"""The code that a caller reads out."""

from django import forms
from django.utils.translation import gettext_lazy


class TextCodeForm(forms.Form):
    """Six digits, in whichever groups they were read out."""

    use_required_attribute = False

    code = forms.CharField(
        label=gettext_lazy("The code that they read out"),
        help_text=gettext_lazy("Six digits."),
        max_length=12,
        error_messages={"required": gettext_lazy("Type the code that they read out.")},
    )

    def clean_code(self) -> str:
        return "".join(str(self.cleaned_data["code"]).split())
