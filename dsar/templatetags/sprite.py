"""Where the icons are."""

from functools import cache

from django import template
from django.templatetags.static import static

register = template.Library()


@register.simple_tag
@cache
def sprite() -> str:
    """The address of the icons; a page shows dozens, and joining its parts costs more than the rest of an icon."""
    return static("img/icons.svg")
