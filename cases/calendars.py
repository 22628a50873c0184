"""The calendars in force here: local overrides from a file, and a mark of all that dates follow from.

The file is the operator's (``DSAR_CALENDAR_OVERRIDES``) and may be changed while the desk runs: every process reads
it again when it has changed. Where it cannot be read as it stands, what was read last goes on being used.
"""

import hashlib
import logging
from functools import cache
from importlib.metadata import entry_points
from importlib.resources import files
from pathlib import Path

from django.conf import settings

from cases.deadlines.calendars import PACKAGE_VERSION, Override, load_overrides
from cases.deadlines.errors import DataFileError
from cases.deadlines.loader import ENTRY_POINT_GROUP

log = logging.getLogger(__name__)

Stamp = tuple[str, int, int]


class _Read:
    """What was read last, of which state of the file, and whether it could be read."""

    stamp: Stamp | None = None
    overrides: tuple[Override, ...] = ()
    is_readable: bool = True


def overrides_in_force() -> tuple[Override, ...]:
    """The local days that the overrides file names; none where there is no file."""
    _refresh()
    return _Read.overrides


def law_in_force() -> str | None:
    """A mark of all that dates follow from: law files, holidays and overrides. Another mark, perhaps other dates.

    None while the overrides file cannot be read: nothing should be computed anew from half of it.
    """
    _refresh()
    if not _Read.is_readable:
        return None
    days = sorted(map(repr, _Read.overrides))
    return hashlib.sha256("\n".join([_shipped(), *days]).encode()).hexdigest()


def _refresh() -> None:
    path: Path | None = settings.CALENDAR_OVERRIDES
    stamp = _stamp(path)
    if stamp == _Read.stamp:
        return
    _Read.stamp = stamp
    try:
        _Read.overrides, _Read.is_readable = load_overrides(path) if path else (), True
    except (OSError, DataFileError) as error:
        _Read.is_readable = False
        log.warning("calendar overrides cannot be read: %s", error)


def _stamp(path: Path | None) -> Stamp | None:
    """What changes whenever the file does; a file that is gone is a change too."""
    if path is None:
        return None
    try:
        found = path.stat()
    except OSError:
        return str(path), 0, -1
    return str(path), found.st_mtime_ns, found.st_size


@cache
def _shipped() -> str:
    """What came with the installed packages, which a process reads once: holidays, and the text of every law."""
    packages = [files("cases.deadlines") / "regimes"]
    packages += [files(entry.module) for entry in entry_points(group=ENTRY_POINT_GROUP)]
    digest = hashlib.sha256(PACKAGE_VERSION.encode())
    for folder in packages:
        for file in sorted(folder.iterdir(), key=lambda item: item.name):
            if file.name.endswith(".toml"):
                digest.update(file.read_bytes())
    return digest.hexdigest()
