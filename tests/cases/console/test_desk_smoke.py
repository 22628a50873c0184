import pytest
from django.urls import reverse

from identity.roles import Role
from tests.cases.desk_cases import in_approval, in_review, source
from tests.cases.staff_client import signed_in
from tests.factories.cases import one_case
from tests.factories.identity import ControllerFactory, staff

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _static_root(tmp_path_factory, settings):
    settings.STATIC_ROOT = tmp_path_factory.mktemp("static")


def test_pages(serve, django_capture_on_commit_callbacks):
    brand = ControllerFactory.create()
    source(brand)
    handler = staff(Role.HANDLER, brand)
    dpo = staff(Role.DPO, brand)
    reviewed = in_review(brand, handler)
    waiting = one_case(brand)
    approval = in_approval(brand, handler, person=None)
    client = signed_in(handler)
    pages = [reverse("console:queue"), reverse("console:absence")]
    for case in (reviewed, waiting, approval):
        pages += [
            reverse("console:case", args=[case.pk]),
            reverse("console:review", args=[case.pk]),
            reverse("console:sources", args=[case.pk]),
        ]
        pages += [reverse("console:close", args=[case.pk]), reverse("console:submit", args=[case.pk])]
        for item in case.items.all():
            pages.append(reverse("console:item", args=[case.pk, item.pk]))
    for page in pages:
        answer = client.get(page)
        assert answer.status_code == 200, (page, answer.status_code)
    client = signed_in(dpo)
    for page in [
        reverse("dpo:approvals"),
        reverse("dpo:decision", args=[approval.pk]),
        reverse("dpo:oversight"),
        reverse("dpo:trail") + "?verify=1",
        reverse("dpo:case-trail", args=[approval.pk]) + "?verify=1",
        reverse("dpo:letter", args=[approval.pk]),
        reverse("console:queue"),
    ]:
        answer = client.get(page)
        assert answer.status_code == 200, (page, answer.status_code)
