"""The policies of identity, in words, and a place to try them: for who administers or oversees the brands."""

from dataclasses import dataclass
from typing import Any

from django import forms
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from identity.assurance import policy_in_force
from identity.models import Controller, IdentityPolicy
from identity.models.policy import rules_of
from identity.policy import wording
from identity.policy.propose import propose
from identity.policy.rules import Asked, Policy, Requirement, Rule
from identity.policy.words import RIGHTS, DataKind, Requester
from identity.providers import registry
from identity.providers.base import Need
from identity.roles import Permission
from identity.views.person import person_of

# To try a policy, everything that a person could have is taken to be there.
_EVERYTHING = frozenset(Need) - {Need.DRILL}


class TryForm(forms.Form):
    """Somebody who might ask. All of it has an answer, so that a page without a question shows one too."""

    use_required_attribute = False

    brand = forms.ChoiceField(label=gettext_lazy("Brand"))
    right = forms.ChoiceField(label=gettext_lazy("What is asked for"))
    kinds = forms.MultipleChoiceField(
        label=gettext_lazy("About which data"), required=False, widget=forms.CheckboxSelectMultiple
    )
    requester = forms.ChoiceField(label=gettext_lazy("Who asks"))
    new_address = forms.BooleanField(
        label=gettext_lazy("The answer goes to an address that is not on file"), required=False
    )

    def __init__(self, brands: list[Controller], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._offer("brand", [(brand.slug, brand.name) for brand in brands])
        self._offer("right", [(right, _(wording.RIGHTS[right])) for right in RIGHTS])
        self._offer("kinds", [(kind.value, capfirst(_(wording.DATA[kind]))) for kind in DataKind])
        self._offer("requester", [(one.value, capfirst(_(wording.REQUESTERS[one]))) for one in Requester])

    def _offer(self, field: str, choices: list[tuple[str, str]]) -> None:
        self.fields[field].choices = choices  # type: ignore[attr-defined]

    def asked(self) -> Asked:
        given = self.cleaned_data
        kinds = frozenset(DataKind(kind) for kind in given["kinds"])
        return Asked(given["right"], kinds, Requester(given["requester"]), given["new_address"])


@dataclass(frozen=True)
class Line:
    """One rule in words."""

    name: str
    when: tuple[str, ...]
    level: str
    why: str
    methods: tuple[str, ...]
    holds: int


@dataclass(frozen=True)
class Verdict:
    """What a policy says of who was tried: the rule that decides, and the least that reaches its level."""

    level: str
    why: str
    rule: str
    also: tuple[str, ...]
    version: int
    ways: tuple[str, ...]
    reason: str


@require_safe
def policies(request: HttpRequest) -> HttpResponse:
    """One brand's policy, its rules in words, and what it would ask of whom."""
    brands = _brands(request)
    if not brands:
        raise Http404
    chosen = next((one for one in brands if one.slug == request.GET.get("brand")), brands[0])
    stored = policy_in_force(chosen.pk)
    policy = rules_of(stored)
    is_tried = "right" in request.GET
    form = TryForm(brands, request.GET if is_tried else None, initial={"brand": chosen.slug})
    context = {
        "brands": brands,
        "administers": person_of(request).access.anywhere(Permission.ADMINISTER),
        "chosen": chosen,
        "stored": stored,
        "policy": policy,
        "lines": [_line(policy, rule) for rule in policy.rules],
        "versions": IdentityPolicy.objects.filter(controller=chosen).order_by("-version")[:10],
        "form": form,
        "verdict": _verdict(policy, form.asked()) if form.is_valid() else None,
    }
    return render(request, "identity/policy.html", context, status=422 if is_tried and form.errors else 200)


def _brands(request: HttpRequest) -> list[Controller]:
    user = person_of(request)
    found = {
        one.pk: one
        for permission in (Permission.ADMINISTER, Permission.OVERSEE)
        for one in Controller.objects.visible_to(user, permission)
    }
    return sorted(found.values(), key=lambda one: one.name)


def _line(policy: Policy, rule: Rule) -> Line:
    when = rule.when
    said = [
        _listed([_(wording.RIGHTS[right]) for right in RIGHTS if right in when.rights]),
        _listed([_(wording.DATA[kind]) for kind in DataKind if kind in when.data]),
        _listed([_(wording.REQUESTERS[one]) for one in Requester if one in when.requesters]),
    ]
    if when.new_address is not None:
        said.append(_("to an address not on file") if when.new_address else _("to an address on file"))
    methods = tuple(
        f"{_(wording.LEVELS[level])}: {_listed([_name(code) for code in sorted(codes)])}"
        for level, codes in sorted(rule.methods.items())
    )
    return Line(
        name=rule.name,
        when=tuple(part for part in said if part),
        level=_(wording.LEVELS[rule.level]),
        why=_(rule.why) if rule.why else "",
        methods=methods,
        holds=(rule.holds_days or policy.holds_days) if rule.level else 0,
    )


def _verdict(policy: Policy, asked: Asked) -> Verdict:
    required = policy.require(asked)
    way = propose(required, (), registry.known(), _EVERYTHING, timezone.now())
    return Verdict(
        level=_(wording.LEVELS[required.level]),
        why=_(required.why) if required.why else "",
        rule=required.rule,
        also=required.also,
        version=required.version,
        ways=tuple(wording.names_of(way, _)),
        reason=_reason(required, wording.why_this(way, _)),
    )


def _reason(required: Requirement, reason: str) -> str:
    if not required.level:
        return _("Nobody has to show who they are for this.")
    return reason or _("No installed method reaches this level; evidence seen by staff may.")


def _name(code: str) -> str:
    about = registry.known().get(code)
    return _(about.name) if about else code


def _listed(parts: list[str]) -> str:
    return ", ".join(parts)
