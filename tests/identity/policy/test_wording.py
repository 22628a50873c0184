"""Every word of a policy has its words for people."""

from identity.policy import wording
from identity.policy.form import house
from identity.policy.words import RIGHTS, DataKind, Requester
from identity.providers.base import Intrusiveness, Level, Performer


def test_every_word_is_told():
    assert set(wording.RIGHTS) == set(RIGHTS)
    assert set(wording.DATA) == set(DataKind)
    assert set(wording.REQUESTERS) == set(Requester)
    assert set(wording.LEVELS) == set(Level)
    assert set(wording.PERFORMERS) == set(Performer)
    assert set(wording._TAKES) == set(wording._TAKES_OF_YOU) == set(Intrusiveness)


def test_the_reasons_of_the_house_can_be_translated():
    assert tuple(rule.why for rule in house().rules) == wording.HOUSE_REASONS
