"""Nothing that can hold personal data is without a rule."""

import inspect

import pytest
from django.apps import apps
from django.contrib.postgres.fields import ArrayField
from django.core.management import call_command
from django.db import models

from cases.retention import coverage
from cases.retention.due import QUERIES
from cases.retention.period import parsed
from cases.retention.rules import BY_CODE, CASE_FILE, COLLECTED, OF_CASE, RULES, SELF, Then
from cases.workflow.retention import OF_SITE
from dsar.vault.fields import SealedField, sealed_text
from dsar.vault.models import StoredFile


def every() -> list[type[models.Model]]:
    return list(apps.get_models(include_auto_created=True))


def test_every_field_that_can_hold_personal_data_has_a_rule():
    assert coverage.without_a_rule(every()) == []


def test_rules_name_nothing_that_is_not_there():
    assert coverage.named_in_vain(every()) == []


def test_nothing_sealed_is_said_to_hold_nothing():
    assert coverage.sealed_but_excused(every()) == []


def test_a_planted_model_is_found():
    class Planted(models.Model):
        words = models.TextField()
        sealed: str = sealed_text()
        tags = ArrayField(models.CharField(max_length=10), default=list)
        mail = models.EmailField()
        place = models.GenericIPAddressField()
        kind = models.CharField(max_length=3, choices=[("one", "one")])
        at = models.DateTimeField()
        file = models.ForeignKey(StoredFile, on_delete=models.PROTECT)

        class Meta:
            app_label = "tests"

        def __str__(self) -> str:
            return self.words

    assert coverage.without_a_rule([Planted]) == [
        f"tests.Planted.{name}" for name in ("file", "mail", "place", "sealed", "tags", "words")
    ]


def test_rules_are_found_by_their_code():
    assert len(BY_CODE) == len(RULES)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_every_rule_is_carried_out(rule):
    is_done = rule.code in QUERIES or rule.code in OF_SITE

    assert is_done is (rule.then != (Then.NOTHING,))


@pytest.mark.parametrize("rule", [rule for rule in RULES if rule.may_be_chosen], ids=lambda rule: rule.code)
def test_usual_period_lies_within_the_bounds(rule):
    assert rule.least.length <= rule.keep.length <= rule.most.length


def test_what_the_key_of_the_collected_data_seals_goes_with_it():
    sealed = {
        (label, field.name)
        for label in OF_CASE
        for field in apps.get_model(label)._meta.concrete_fields
        if isinstance(field, SealedField) and _is_collected(apps.get_model(label), field)
    }
    left = {
        f"{label}.{name}"
        for label, name in sealed
        if label not in COLLECTED.rows and f"{label}.{name}" not in COLLECTED.fields
    }

    assert len(sealed) > 10
    assert left == set()


def _is_collected(model: type[models.Model], field: SealedField) -> bool:
    source = inspect.getsource(getattr(model, field.key_attribute).fget)
    return "collected_key_id" in source


def test_table_of_the_documentation_is_as_the_rules():
    call_command("retention_table", "--check")


def goes_along(labels: dict[str, str]) -> set[str]:
    """Every model whose rows must refer to a row of these: they have to go with them."""
    found = set(labels)
    while True:
        more = {
            model._meta.label
            for model in every()
            for field in model._meta.concrete_fields
            if isinstance(field, models.ForeignKey)
            and field.remote_field.on_delete is not models.SET_NULL
            and field.related_model._meta.label in found
        } - found
        if not more:
            return found
        found |= more


def test_all_that_hangs_on_a_request_goes_with_it():
    assert goes_along({"cases.SubjectRequest": SELF}) == set(CASE_FILE.rows)


def test_way_to_the_case_is_told_for_all_that_hangs_on_it():
    hanging = goes_along({"cases.Case": SELF}) - {"cases.Case"}

    # Letters are the request's, of whichever case they speak.
    assert hanging == {*OF_CASE, "cases.Letter", "cases.LetterFile"}


@pytest.mark.parametrize(
    ("text", "words"), [("90 days", "90 days"), ("1 day", "1 day"), ("24 months", "2 years")]
)
def test_periods_are_read_and_written(text, words):
    assert str(parsed(text)) == words


@pytest.mark.parametrize("text", ["", "90", "days", "-1 days", "1.5 years", "90 days or so", "ninety days"])
def test_what_is_no_period_is_refused(text):
    with pytest.raises(ValueError, match="is no period"):
        parsed(text)
