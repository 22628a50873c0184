"""The suppression list of each brand: how long it is, and which importers may ask it. It has no address to show."""

from uuid import UUID

from django.db.models import Count, Max
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST

from cases.administration import reading
from cases.administration.forms_recipients import TokenForm
from cases.models import SuppressionEntry, SuppressionToken
from cases.surface import attempt, by, needs, see_other, staff
from cases.workflow import suppression
from identity.roles import Permission
from identity.step_up import asks_second_factor


@require_http_methods(["GET", "POST"])
@needs(Permission.ADMINISTER)
@asks_second_factor
@sensitive_variables()
def lists(request: HttpRequest) -> HttpResponse:
    """The lists by brand, and a form for a new token, which is shown on the page that answers, once."""
    brands = reading.administered(staff(request))
    form = TokenForm(brands, request.POST if request.method == "POST" else None)
    value = ""
    if request.method == "POST" and form.is_valid():
        brand = next(one for one in brands if one.slug == form.cleaned_data["brand"])
        made = attempt(
            request,
            lambda: suppression.make_token(brand, form.cleaned_data["name"], by(request), timezone.now()),
            form=form,
        )
        value, form = (made, TokenForm(brands)) if made else ("", form)
    tokens = SuppressionToken.objects.visible_to(staff(request), Permission.ADMINISTER)
    counted = SuppressionEntry.objects.filter(controller__in=brands).values("controller")
    sizes = {row["controller"]: row for row in counted.annotate(size=Count("pk"), last=Max("added_at"))}
    context = {
        "rows": [(brand, sizes.get(brand.pk)) for brand in brands],
        "tokens": tokens.select_related("controller", "made_by").order_by("controller__name", "-made_at"),
        "form": form,
        "value": value,
    }
    return render(request, "administration/suppression.html", context, status=422 if form.errors else 200)


@require_POST
@needs(Permission.ADMINISTER)
@asks_second_factor
def revoke(request: HttpRequest, token_id: UUID) -> HttpResponse:
    """Let a token open nothing any more; another brand's is not found."""
    mine = SuppressionToken.objects.visible_to(staff(request), Permission.ADMINISTER)
    found = mine.filter(pk=token_id).first()
    if found is None:
        raise Http404
    done = _("The token is revoked: it opens nothing any more.")
    attempt(request, lambda: suppression.revoke_token(found, by(request), timezone.now()), done)
    return see_other("administration:suppression")
