"""The certificate as a tagged PDF to read and to print."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime, tzinfo

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from cases.packs.certificate.content import Certificate, Done, Kept, System, Told
from cases.packs.pdf.book import CELL, GREY, SMALL, Book, Running, Style
from cases.packs.pdf.colours import accent
from cases.packs.pdf.tags import Element, Facts
from cases.packs.report import facts_table, table
from cases.packs.wording import Wording, wording

WHAT: Mapping[str, object] = {
    "delete": gettext_lazy("deleted"),
    "anonymise": gettext_lazy("made anonymous"),
    "block": gettext_lazy("blocked"),
    "correct": gettext_lazy("corrected"),
    "supplement": gettext_lazy("completed by a statement"),
    "restrict": gettext_lazy("restricted"),
    "lift": gettext_lazy("restriction lifted"),
    "keep": gettext_lazy("kept"),
    "refer": gettext_lazy("not ours"),
    "refuse": gettext_lazy("not corrected"),
    "not_done": gettext_lazy("not done"),
}
TOLD: Mapping[str, object] = {
    "waiting": gettext_lazy("being told"),
    "sent": gettext_lazy("told"),
    "answered": gettext_lazy("told, and answered"),
    "failed": gettext_lazy("could not be told yet"),
    "impossible": gettext_lazy("cannot be told"),
    "disproportionate": gettext_lazy("telling would take disproportionate effort"),
}
TITLES: Mapping[str, object] = {
    "erasure": gettext_lazy("Certificate of erasure"),
    "rectification": gettext_lazy("Certificate of correction"),
    "restriction": gettext_lazy("Certificate of restriction"),
}


def render(certificate: Certificate, language: str, zone: tzinfo, colour: str, right: str) -> bytes:
    """The PDF, in the language in force; ``right`` is the right's name in words."""
    return _Page(certificate, wording(language), zone).render(language, colour, right)


class _Page:
    def __init__(self, certificate: Certificate, words: Wording, zone: tzinfo) -> None:
        self.certificate, self.words, self.zone = certificate, words, zone

    def render(self, language: str, colour: str, right: str) -> bytes:
        said = self.certificate
        title = str(TITLES.get(said.right, _("Certificate")))
        running = Running(
            f"{said.controller.name} · {title}",
            f"{self.words.reference} {said.reference}",
            self.words.page_of,
        )
        facts = Facts(f"{title} – {said.reference}", said.controller.name, language)
        book = Book(facts, running, accent(colour))
        part = book.document.add("Part")
        book.new_page(running=False)
        self._head(book, part, title)
        self._particulars(book, part, right)
        self._systems(book, part)
        self._recipients(book, part)
        self._proof(book, part)
        return book.finish()

    def _head(self, book: Book, part: Element, title: str) -> None:
        book.box(0, book.page.height - 6, book.page.width, 6, book.accent)
        book.y = book.page.height - 48
        controller = self.certificate.controller
        book.paragraph(part, controller.name, Style(15, 20, bold=True, colour=book.accent), after=2)
        book.paragraph(part, " · ".join([controller.legal_name, *controller.address]), SMALL, after=22)
        book.heading(part, 1, title)

    def _particulars(self, book: Book, part: Element, right: str) -> None:
        said = self.certificate
        pairs = [
            (self.words.request, f"{said.reference} ({right})"),
            (self.words.received, self._day(said.received_at)),
        ]
        if said.decided_at:
            pairs.append((_("Decided by two people"), self._day(said.decided_at)))
        pairs.append((_("This certificate was made"), self.words.moment(said.made_at, self.zone)))
        if said.ground:
            pairs.append((_("Ground"), f"{said.ground.words} ({said.ground.provision})"))
        facts_table(book, part, pairs, CELL)
        book.gap(14)
        book.paragraph(
            part,
            _("It says what was done with the data, and holds none of it. Keep it with our letter."),
        )

    # -- systems ---------------------------------------------------------------------------------

    def _systems(self, book: Book, part: Element) -> None:
        book.heading(part, 2, _("What was done, system by system"))
        if not self.certificate.systems:
            book.paragraph(part, _("In no system there was anything to do."))
        for system in self.certificate.systems:
            self._system(book, part.add("Sect"), system)

    def _system(self, book: Book, part: Element, system: System) -> None:
        book.heading(part, 3, system.name)
        rows = [*map(_done_row, system.done), *map(_kept_row, system.kept)]
        if rows:
            head = (_("Records"), _("What became of them"), self.words.count, self.words.reason)
            table(book, part, head, (0.26, 0.24, 0.1, 0.4), rows)
            book.gap(6)
        for line in self._lines(system):
            book.paragraph(part, line, SMALL, after=2)
        book.gap(8)

    def _lines(self, system: System) -> Iterator[str]:
        receipts = system.receipts
        if receipts.count:
            yield ngettext(
                "%(count)d receipt of the system, the last of %(at)s; digest %(digest)s",
                "%(count)d receipts of the system, the last of %(at)s; digest %(digest)s",
                receipts.count,
            ) % {
                "count": receipts.count,
                "at": self.words.moment(receipts.last_at, self.zone) if receipts.last_at else "–",
                "digest": receipts.sha256[:16],
            }
        if system.verified_at:
            at = self.words.moment(system.verified_at, self.zone)
            yield self._searched(system.left) % {"at": at, "count": system.left}
        if any(one.what in {"delete", "anonymise"} for one in system.done):
            yield self._backups(system)

    @staticmethod
    def _searched(left: int) -> str:
        if not left:
            return _("Searched again on %(at)s: nothing that was to go is left.")
        return ngettext(
            "Searched again on %(at)s: in %(count)d place something is left, with a reason that two people accepted.",
            "Searched again on %(at)s: in %(count)d places something is left, with reasons that two people accepted.",
            left,
        )

    def _backups(self, system: System) -> str:
        if system.backups_until is None:
            return _("Backups are put beyond use, and overwritten on the usual schedule.")
        day = self.words.day(system.backups_until)
        return _("Backups are put beyond use, and overwritten by %(day)s.") % {"day": day}

    # -- the rest --------------------------------------------------------------------------------

    def _recipients(self, book: Book, part: Element) -> None:
        if not self.certificate.recipients:
            return
        book.heading(part, 2, _("Who else was told"))
        rows = [self._told_row(one) for one in self.certificate.recipients]
        table(book, part, (_("Recipient"), _("What became of it"), self.words.dated), (0.4, 0.4, 0.2), rows)
        book.gap(8)

    def _told_row(self, told: Told) -> list[str]:
        return [told.name, str(TOLD[told.state]), self.words.short_day(told.on) if told.on else "–"]

    def _proof(self, book: Book, part: Element) -> None:
        if self.certificate.suppressed:
            text = _(
                "Addresses are kept as keyed hashes alone, so that no advertising is ever sent to them again."
            )
            book.paragraph(part, text)
        book.heading(part, 2, _("How this can be checked"))
        trail = self.certificate.trail
        book.paragraph(
            part,
            _(
                "Every act is in a trail that cannot be changed afterwards. When this was made, its last entry was"
                " number %(seq)d, with this digest:"
            )
            % {"seq": trail.seq},
        )
        book.paragraph(part, trail.sha256, Style(8.5, 12, colour=GREY))

    def _day(self, at: datetime) -> str:
        on: date = at.astimezone(self.zone).date()
        return self.words.day(on)


def _done_row(done: Done) -> list[str]:
    why = _("by hand, in the system itself") if done.by_hand else ""
    return [_label(done.record_type), str(WHAT[done.what]), str(done.records), why]


def _kept_row(kept: Kept) -> list[str]:
    why = f"{kept.words} ({kept.provision})" if kept.provision else kept.words or kept.code
    return [_label(kept.record_type), str(WHAT[kept.what]), str(kept.records), why]


def _label(name: str) -> str:
    return name.replace("_", " ").capitalize() if name else "–"
