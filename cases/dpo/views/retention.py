"""What the desk keeps of a brand, why, and for how long: for who administers or oversees it. No content of any case."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from cases.models import RetentionPolicy
from cases.retention import due
from cases.retention.chosen import Periods, in_force, periods_of
from cases.retention.due import Tally
from cases.retention.period import Period
from cases.retention.rules import RULES, THEN, Rule
from cases.surface import staff
from cases.workflow import retention
from identity.models import Controller
from identity.roles import Permission

Words = str | Promise


@dataclass(frozen=True)
class Line:
    """One rule as the page shows it; ``tally`` only where somebody asked for it."""

    code: str
    name: Words
    what: Words
    why: Words
    begins: Words
    keep: str
    because: str
    bounds: str
    then: tuple[Words, ...]
    basis: str
    tally: Tally | None


@require_safe
def kept(request: HttpRequest) -> HttpResponse:
    """One brand's periods, and on demand how much is due."""
    brands = _brands(request)
    if not brands:
        raise Http404
    chosen = next((one for one in brands if one.slug == request.GET.get("brand")), brands[0])
    periods, is_counted = periods_of(chosen.pk), "count" in request.GET
    context = {
        "brands": brands,
        "chosen": chosen,
        "stored": in_force(chosen.pk),
        "versions": RetentionPolicy.objects.filter(controller=chosen).order_by("-version")[:10],
        "lines": list(_lines(chosen, periods, is_counted)),
        "of_site": list(_lines_of_site(is_counted)),
        "is_counted": is_counted,
        "last": retention.last_round(chosen.pk),
    }
    with timezone.override(chosen.zone):
        return render(request, "dpo/retention.html", context)


def _brands(request: HttpRequest) -> list[Controller]:
    user = staff(request)
    found = {
        one.pk: one
        for permission in (Permission.ADMINISTER, Permission.OVERSEE)
        for one in Controller.objects.visible_to(user, permission)
    }
    return sorted(found.values(), key=lambda one: one.name)


def _lines(brand: Controller, periods: Periods, is_counted: bool) -> Iterator[Line]:
    now = timezone.now()
    for rule in RULES:
        if not rule.of_site:
            is_due = is_counted and rule.code in due.QUERIES
            yield _line(rule, periods, due.tally(rule, periods, brand.pk, now) if is_due else None)


def _lines_of_site(is_counted: bool) -> Iterator[Line]:
    now, usual = timezone.now(), Periods(0, {})
    for rule in RULES:
        if rule.of_site:
            is_due = is_counted and rule.code in retention.OF_SITE
            yield _line(rule, usual, retention.tally_site(rule, now) if is_due else None)


def _line(rule: Rule, periods: Periods, tally: Tally | None) -> Line:
    keep = periods.of(rule)
    bounds = ""
    if rule.least is not None and rule.most is not None:
        bounds = _between(rule.least, rule.most)
    return Line(
        code=rule.code,
        name=rule.name,
        what=rule.what,
        why=rule.why,
        begins=rule.begins,
        keep=keep.words if keep else "",
        because=periods.because(rule),
        bounds=bounds,
        then=tuple(THEN[one] for one in rule.then),
        basis=rule.basis,
        tally=tally,
    )


def _between(least: Period, most: Period) -> str:
    if not least.length:
        return _("up to %(most)s") % {"most": most.words}
    return _("%(least)s to %(most)s") % {"least": least.words, "most": most.words}
