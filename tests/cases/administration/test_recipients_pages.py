"""The administrator's pages of recipients and of importers that ask the suppression list."""

import pytest
from django.urls import reverse
from django.utils import timezone

from cases.models import Recipient, SuppressionToken
from cases.permissions import BY_OPERATOR
from cases.workflow import suppression
from dsar.audit.models import AuditEvent
from tests.cases.desk_cases import make_office, office
from tests.cases.staff_client import signed_in
from tests.factories.cases import SourceFactory
from tests.factories.recipients import RecipientFactory

__all__ = ["office"]

pytestmark = pytest.mark.django_db

FILLED = {
    "name": "Adverts GmbH",
    "slug": "adverts",
    "kind": "processor",
    "finds_by": ["email"],
    "route": "email",
    "email": "privacy@adverts.example",
    "expects_answer": "on",
    "remind_days": "10",
    "is_active": "on",
}


@pytest.fixture
def admin(office):
    return signed_in(office.administrator)


def adding(office) -> str:
    return reverse("administration:add-recipient", args=[office.brand.slug])


def test_recipient_is_added_and_on_record_by_names_of_fields(office, admin):
    SourceFactory.create(controller=office.brand, slug="crm")

    answer = admin.post(adding(office), FILLED | {"fed_by": ["crm"]})

    made = Recipient.objects.get()
    told = AuditEvent.objects.get(action="configuration.recipient_changed").data
    assert (answer.status_code, made.fed_by, made.remind_days) == (303, ["crm"], 10)
    assert (told["what"], "privacy@adverts.example" in str(told)) == ("created", False)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"email": ""}, "email"),
        ({"route": "post"}, "postal_address"),
        ({"route": "api"}, "url"),
        ({"route": "api", "url": "http://adverts.example/", "signing_key": "k"}, "url"),
        ({"route": "api", "url": "https://adverts.example/"}, "signing_key"),
        ({"finds_by": []}, "finds_by"),
        ({"slug": "Not So"}, "slug"),
    ],
)
def test_what_cannot_work_is_told_beside_its_field_and_nothing_is_kept(office, admin, change, field):
    answer = admin.post(adding(office), FILLED | change)

    assert (answer.status_code, list(answer.context["form"].errors)) == (422, [field])
    assert (Recipient.objects.count(), b"Adverts GmbH" in answer.content) == (0, True)


def test_secrets_are_kept_when_left_empty_and_shown_nowhere(office, admin):
    made = RecipientFactory.create(
        controller=office.brand,
        route="api",
        url="https://adverts.example/",
        secrets={"token": "old-token", "signing_key": "old-key"},
    )
    page = reverse("administration:recipient", args=[made.pk])

    shown = admin.get(page).content
    admin.post(page, FILLED | {"route": "api", "url": "https://adverts.example/", "signing_key": "new-key"})

    made.refresh_from_db()
    assert made.secrets == {"token": "old-token", "signing_key": "new-key"}
    assert (b"old-token" in shown, b"old-key" in shown) == (False, False)


def test_recipient_of_another_brand_is_not_found(admin):
    other = make_office()
    theirs = RecipientFactory.create(controller=other.brand, name="Theirs")

    pages = [
        admin.get(reverse("administration:recipient", args=[theirs.pk])).status_code,
        admin.get(adding(other)).status_code,
    ]

    assert (pages, b"Theirs" in admin.get(reverse("administration:recipients")).content) == (
        [404, 404],
        False,
    )


def test_handler_has_no_way_to_recipients(office):
    answer = signed_in(office.handler).get(reverse("administration:recipients"))

    assert answer.status_code == 404


def test_list_costs_the_same_for_many(office, admin, django_assert_max_num_queries):
    RecipientFactory.create(controller=office.brand)
    admin.get(reverse("administration:recipients"))
    with django_assert_max_num_queries(100) as few:
        admin.get(reverse("administration:recipients"))
    RecipientFactory.create_batch(5, controller=office.brand)

    with django_assert_max_num_queries(100) as many:
        admin.get(reverse("administration:recipients"))

    assert len(many) == len(few)


def test_token_is_shown_once_and_revoked(office, admin):
    page = reverse("administration:suppression")
    shown = admin.post(page, {"brand": office.brand.slug, "name": "CRM import"})
    value = shown.context["value"]
    token = SuppressionToken.objects.get()

    later = admin.get(page).content.decode()
    admin.post(reverse("administration:revoke-token", args=[token.pk]))

    assert (value in shown.content.decode(), value in later) == (True, False)
    assert suppression.find_token(value, timezone.now()) is None


def test_token_of_another_brand_is_neither_shown_nor_revoked(admin):
    other = make_office()
    suppression.make_token(other.brand, "Theirs", BY_OPERATOR, timezone.now())
    token = SuppressionToken.objects.get()

    answer = admin.post(reverse("administration:revoke-token", args=[token.pk]))

    token.refresh_from_db()
    assert (answer.status_code, token.revoked_at) == (404, None)
    assert b"Theirs" not in admin.get(reverse("administration:suppression")).content
