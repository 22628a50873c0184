"""The sentences marked for the translators are those of the lists."""

from datetime import date

from cases.law.loader import remedies
from cases.law.mark import TARGET, source
from cases.law.texts import SENTENCES


def test_texts_are_those_of_the_lists() -> None:
    kept = TARGET.read_text(encoding="utf-8")

    assert kept == source(), "Run: python -m cases.law.mark"


def test_sentence_is_marked_once() -> None:
    assert len(SENTENCES) == len(set(SENTENCES))


def test_remedies_are_translated_before_their_gaps_are_filled() -> None:
    asked: list[str] = []

    def translate(text: str) -> str:
        asked.append(text)
        return f"({text})"

    found = remedies("EU-IE", date(2026, 7, 1), translate)

    assert set(asked) <= set(SENTENCES)
    assert found == tuple(f"({text})" for text in remedies("EU-IE", date(2026, 7, 1)))
