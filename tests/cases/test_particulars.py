"""What is said about a right beside the words is kept for the right that was chosen, and for no other."""

from django import forms

from cases import particulars
from cases.law import loader as law
from cases.words import Right


def filled(**typed):
    form = forms.Form(typed)
    particulars.add_to(form)
    assert form.is_valid()
    return form


def test_only_the_rights_that_were_chosen_are_kept():
    form = filled(objection_use="Scoring", portability_to="New Power")

    assert particulars.said(form, [Right.OBJECTION]) == {"objection": {"use": "Scoring"}}


def test_card_numbers_are_masked():
    form = filled(automated_decision="Paid with 4111 1111 1111 1111.")

    said = particulars.said(form, [Right.AUTOMATED])

    assert "4111 1111 1111 1111" not in said["automated"]["decision"]


def test_grounds_are_those_of_the_law():
    codes = [code for code, _label in particulars.GROUNDS if code]

    for regime in ("UK-ENG", "EU-DE"):
        assert codes == [one.code for one in law.grounds_for("restriction_trigger", regime)]
