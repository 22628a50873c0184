"""manifest.json, the proof of what a pack holds, and README.txt, which says what is what."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from cases.packs.content import PackInput
from cases.packs.sink import PackFile
from cases.packs.wording import Wording

SCHEMA = "dsar-response-manifest/1"


@dataclass(frozen=True, slots=True)
class Manifest:
    """Every file of a pack but the manifest itself, in the order in which they were written.

    `escaped_characters` counts those that the report shows by their code for want of a glyph.
    """

    reference: str
    controller: str
    tool: str
    answered_on: str
    records: int
    volumes: int
    escaped_characters: int
    files: tuple[PackFile, ...]

    def as_bytes(self) -> bytes:
        """The content of manifest.json."""
        return (json.dumps({"schema": SCHEMA, **asdict(self)}, ensure_ascii=False, indent=1) + "\n").encode()


def readme(pack: PackInput, words: Wording, records: int, volumes: int, attachments: int) -> bytes:
    """The content of README.txt, with line ends that every editor understands."""
    text = words.readme.format(
        brand=pack.brand.name,
        title=words.report_title,
        reference=pack.reference,
        volumes=words.readme_volumes if volumes > 1 else "",
        tables=words.readme_tables if records else "",
        attachments=words.readme_attachments if attachments else "",
        mark=words.withheld_mark.format(code=pack.withheld[0].code if pack.withheld else "…"),
        contact="\n".join(pack.brand.dpo_contact or pack.brand.address),
    )
    return ("\ufeff" + text.strip() + "\n").replace("\n", "\r\n").encode()
