"""From the input of a pack to its files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from cases.packs.content import Attachment, PackInput
from cases.packs.letter import render_letter
from cases.packs.machine import csv_files, json_chunks
from cases.packs.manifest import Manifest, readme
from cases.packs.names import Names, safe_name
from cases.packs.plan import Plan
from cases.packs.report import AttachedFile, Report, volume_name
from cases.packs.sink import PackFile, Sink, put
from cases.packs.wording import wording

LETTER = "01-letter.pdf"
DATA = "data.json"
MANIFEST = "manifest.json"
README = "README.txt"


def render_pack(pack: PackInput, sink: Sink) -> Manifest:
    """Write all files of a pack into the sink, the manifest last; returns the manifest.

    Memory is bounded by one volume of the report. Raises RecordsScattered or RecordsChanged when the
    records cannot be trusted to be the same in every file, and whatever the sink or the records raise;
    a pack that failed has no manifest.
    """
    return _Rendering(pack, sink).run()


@dataclass(slots=True)
class _Rendering:
    pack: PackInput
    sink: Sink
    plan: Plan = field(default_factory=Plan)
    files: list[PackFile] = field(default_factory=list)

    def run(self) -> Manifest:
        pack, words = self.pack, wording(self.pack.language)
        attachments = list(_named(pack.attachments))
        self._put(LETTER, "application/pdf", [render_letter(pack.letter)])
        self._put(DATA, "application/json", json_chunks(pack, self.plan))
        self.files[-1] = replace(self.files[-1], records=self.plan.records)
        self._csv()
        escaped = self._report(attachments)
        for name, attachment in attachments:
            self._put(name, attachment.media_type, attachment.open())
        text = readme(pack, words, self.plan.records, len(self.plan.volumes), len(attachments))
        self._put(README, "text/plain; charset=utf-8", [text])
        return self._manifest(escaped)

    def _put(self, name: str, media_type: str, chunks: Iterable[bytes], records: int | None = None) -> None:
        self.files.append(replace(put(self.sink, name, media_type, chunks), records=records))

    def _csv(self) -> None:
        names = Names()
        for collection, chunks in csv_files(self.pack, self.plan, wording(self.pack.language)):
            name = names.take(f"data/{safe_name(collection.source)}", safe_name(collection.name), ".csv")
            self._put(name, "text/csv; charset=utf-8", chunks, collection.count)

    def _report(self, attachments: list[tuple[str, Attachment]]) -> int:
        listed = [AttachedFile(name, attachment.media_type) for name, attachment in attachments]
        report = Report(self.pack, self.plan, wording(self.pack.language), listed)
        for number, content in report.volumes():
            records = sum(section.count for section in self.plan.volumes[number - 1])
            self._put(volume_name(number), "application/pdf", [content], records)
        return report.escaped

    def _manifest(self, escaped: int) -> Manifest:
        pack, plan = self.pack, self.plan
        manifest = Manifest(
            reference=pack.reference,
            controller=pack.brand.name,
            tool=pack.tool,
            answered_on=pack.answered_on.isoformat(),
            records=plan.records,
            volumes=len(plan.volumes),
            escaped_characters=escaped,
            files=tuple(self.files),
        )
        put(self.sink, MANIFEST, "application/json", [manifest.as_bytes()])
        return manifest


def _named(attachments: Iterable[Attachment]) -> Iterator[tuple[str, Attachment]]:
    names = Names()
    for attachment in attachments:
        yield names.take("attachments", safe_name(attachment.name)), attachment
