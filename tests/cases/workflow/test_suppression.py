"""Who objected to marketing is kept in mind as keyed hashes, and found however the address is written."""

import pytest
from django.utils import timezone

from cases.models import SuppressionEntry, SuppressionOrigin
from cases.permissions import BY_OPERATOR
from cases.words import Right
from cases.workflow import suppression
from dsar.audit.actions import Action
from dsar.audit.models import AuditEvent
from dsar.lib.errors import NotAllowed, Refused
from tests.factories.cases import one_case
from tests.factories.identity import ControllerFactory

pytestmark = pytest.mark.django_db

NOW = timezone.now()


@pytest.fixture
def brand(serve):
    return ControllerFactory.create(phone_region="GB")


def put(brand, *values):
    return suppression.add(brand, values, SuppressionOrigin.OPERATOR, BY_OPERATOR, NOW)


def test_check_answers_each_value_in_order_however_it_is_written(brand):
    put(brand, "Ada@Example.com", "020 7946 0000")

    said = suppression.check(
        brand, ["<ada@EXAMPLE.com>", "bob@example.com", "+44 (0)20 7946-0000", "0044", "nobody"], NOW
    )

    assert said == [True, False, True, None, None]


def test_check_of_another_brand_knows_nothing(brand):
    other = ControllerFactory.create()
    put(brand, "ada@example.com")

    said = suppression.check(other, ["ada@example.com"], NOW)

    assert said == [False]


def test_list_holds_no_address_and_differs_between_brands(brand):
    other = ControllerFactory.create()
    put(brand, "ada@example.com")
    put(other, "ada@example.com")

    hashes = {bytes(one) for one in SuppressionEntry.objects.values_list("value_hash", flat=True)}

    assert (len(hashes), any(b"ada" in one for one in hashes)) == (2, False)


def test_add_twice_keeps_one_entry_and_one_event(brand):
    first, second = put(brand, "ada@example.com"), put(brand, "ADA@example.com")

    told = AuditEvent.objects.filter(action=Action.SUPPRESSION_CHANGED).values_list("data", flat=True)
    assert (first, second, list(told)) == (1, 0, [{"what": "added", "count": 1, "why": "operator"}])


def test_remove_lets_the_person_hear_again_and_is_on_record(brand):
    put(brand, "ada@example.com", "bob@example.com")

    removed = suppression.remove(brand, ["Ada@example.com"], BY_OPERATOR, NOW)

    said = suppression.check(brand, ["ada@example.com", "bob@example.com"], NOW)
    told = AuditEvent.objects.filter(action=Action.SUPPRESSION_CHANGED, data__what="removed")
    assert (removed, said, told.get().data["why"]) == (1, [False, True], "opted_in")


def test_objection_to_marketing_is_kept_in_mind_at_once(desk):
    desk.case(Right.OBJECTION, about_marketing=True)

    said = suppression.check(desk.controller, ["ada@example.com", "bob@example.com"], NOW)

    assert said == [True, False]


def test_other_objection_suppresses_nothing(desk):
    desk.case(Right.OBJECTION)

    assert SuppressionEntry.objects.count() == 0


def test_erasure_asks_for_it_only_when_somebody_says_so(desk):
    case = desk.in_review(Right.ERASURE)

    before = suppression.follow(case, desk.handler, NOW)
    asked = suppression.ask_for(case, desk.handler, NOW)
    after = suppression.follow(asked, desk.handler, NOW)

    assert (before, after, SuppressionEntry.objects.get().origin) == (0, 1, "erasure")


def test_access_cannot_ask_for_it(desk):
    case = desk.in_review(Right.ACCESS)

    with pytest.raises(Refused) as refusal:
        suppression.ask_for(case, desk.handler, NOW)

    case.refresh_from_db()
    assert (refusal.value.code, case.ends_marketing) == ("not_an_erasure", False)


def test_drill_suppresses_nobody(brand):
    case = one_case(brand, Right.OBJECTION, about_marketing=True, is_drill=True)

    assert (suppression.follow(case, BY_OPERATOR, NOW), SuppressionEntry.objects.count()) == (0, 0)


def test_token_is_made_by_who_administers_alone(desk):
    with pytest.raises(NotAllowed):
        suppression.make_token(desk.controller, "CRM import", desk.handler, NOW)


def test_token_is_kept_as_a_hash_and_dies_when_revoked(brand):
    value = suppression.make_token(brand, "CRM import", BY_OPERATOR, NOW)
    token = suppression.find_token(value, NOW)

    suppression.revoke_token(token, BY_OPERATOR, NOW)

    assert (suppression.find_token(value, NOW), suppression.controller_of(value)) == (None, brand.pk)
    assert value.partition(".")[2].encode() not in bytes(token.token_hash)
