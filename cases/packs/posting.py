"""A letter of the case's correspondence as a PDF to print, and a proposed one as it would be sent."""

from datetime import date, datetime, time

from cases import authority
from cases.models import Case, Letter
from cases.packs.content import Addressee, Brand, LetterInput
from cases.packs.letter import render_letter
from identity.models import Controller


def printed(letter: Letter) -> bytes:
    """The letter with the address in the envelope's window."""
    request = letter.subject_request
    zone = request.controller.zone
    addressee = _addressee(letter.address) if letter.by_post else Addressee(letter.address)
    reference = letter.case.reference if letter.case else request.reference
    on = (letter.sent_at or letter.written_at).astimezone(zone).date()
    return render_letter(
        _letter(request.controller, addressee, reference, on, letter.title, letter.body, letter.language)
    )


def proposed(case: Case, title: str, body: str, on: date) -> bytes:
    """A letter that is being written or approved, as it would be sent on that day."""
    request = case.subject_request
    person = authority.addressee(case, datetime.combine(on, time(12), case.controller.zone))
    addressee = _addressee(f"{person.name}\n{person.postal_address}")
    return render_letter(
        _letter(case.controller, addressee, case.reference, on, title, body, request.language)
    )


def _letter(
    controller: Controller,
    addressee: Addressee,
    reference: str,
    on: date,
    title: str,
    body: str,
    language: str,
) -> LetterInput:
    return LetterInput(
        brand=Brand(
            name=controller.name,
            address=_lines(f"{controller.legal_name}\n{controller.postal_address}"),
            dpo_contact=_lines(controller.dpo_contact) or (controller.privacy_email,),
            accent=controller.accent,
        ),
        addressee=addressee,
        reference=reference,
        dated_on=on,
        title=title,
        paragraphs=tuple(part.strip() for part in body.split("\n\n") if part.strip()),
        signatory=(controller.name,),
        language=language.partition("-")[0],
    )


def _addressee(text: str) -> Addressee:
    name, *lines = _lines(text) or ("",)
    return Addressee(name=name, lines=tuple(lines))


def _lines(text: str) -> tuple[str, ...]:
    return tuple(line.strip() for line in text.splitlines() if line.strip())
