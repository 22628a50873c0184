"""Judges whether a picture of a document can be read, so that another one is asked for at once and not in a week.

It refuses only for what it sees (too small, dark, pale, blurred, a reflection, slanting, a zone cut off), never
because it found nothing: a document may rightly be covered in part, and some have no zone at all. Each measure is
taken from a small copy of the picture; the numbers were set with drawn documents, sharp and spoilt.
"""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby, pairwise
from statistics import median

from PIL import Image, ImageChops, ImageFilter, ImageOps, ImageStat

# A passport's zone has 44 signs in a line: below this a sign is less than twenty dots wide.
_SHORTER_SIDE = 600
_LONGER_SIDE = 900
_COPY = 1000

_DARK = 90  # of 255; nine tenths of the picture are darker
_FLAT = 45  # of 255, between the darkest and the brightest twentieth
_SHARPEST = 3  # tiles of sixteen: the document may fill less than the picture
_BLUR = 120.0  # variance of the Laplacian in the sharpest tiles

_GRID = (64, 48)
_SATURATED = 250
_GLARE = (0.008, 0.25)  # share of the picture; more than a quarter is white paper

_SLANTS = range(-40, 45, 5)
_SLANTING = 15  # degrees
_LINES = 260
_CLEARLY = 1.3

_ZONE_COPY = 800
_ZONE_SPAN = 0.55  # of the width: no other line of a document runs so far without a gap
_ZONE_LINES = 2
_SIGNS = 20
_DENSE = 40  # of 255, in a neighbourhood of eleven by three
_RIM = 0.012
_THIN = 5  # rows

_LAPLACIAN = ImageFilter.Kernel((3, 3), (0, 1, 0, 1, -4, 1, 0, 1, 0), scale=1, offset=128)


class Fault(StrEnum):
    """Why another picture is needed."""

    TOO_SMALL = "too_small"
    DARK = "dark"
    FLAT = "flat"
    BLURRED = "blurred"
    GLARE = "glare"
    SLANTING = "slanting"
    CROPPED = "cropped"


@dataclass(frozen=True, slots=True)
class Quality:
    """The faults of a picture, what was measured, and by how many degrees (counter-clockwise) it has to be turned."""

    faults: tuple[Fault, ...]
    turn: int
    has_zone: bool
    measures: Mapping[str, float]

    @property
    def is_good(self) -> bool:
        return not self.faults


@dataclass(frozen=True, slots=True)
class _Band:
    """A line of text that runs nearly from side to side, in shares of the picture."""

    top: float
    bottom: float
    left: float
    right: float


def judge(picture: Image.Image, *, with_zone: bool) -> Quality:
    """Judge a picture that was turned as its EXIF data say; ``with_zone`` where a zone is expected in it."""
    grey = ImageOps.grayscale(picture)
    grey.thumbnail((_COPY, _COPY))
    lie = _lie(grey, with_zone)
    measures = {
        "sharpness": round(_sharpness(grey), 1),
        "brightness": float(_share_point(grey, 0.9)),
        "contrast": float(max(map(_contrast, _tiles(grey)))),
        "glare": round(_glare(grey), 3),
        "slant": float(lie.slant),
    }
    faults = tuple(fault for fault, found in _found(picture.size, measures, lie.bands) if found)
    return Quality(faults, lie.turn, bool(lie.bands), measures)


def _found(
    size: tuple[int, int], measures: Mapping[str, float], bands: tuple[_Band, ...]
) -> list[tuple[Fault, bool]]:
    low, high = _GLARE
    is_dark = measures["brightness"] < _DARK
    is_flat = measures["contrast"] < _FLAT and not is_dark
    return [
        (Fault.TOO_SMALL, min(size) < _SHORTER_SIDE or max(size) < _LONGER_SIDE),
        (Fault.DARK, is_dark),
        (Fault.FLAT, is_flat),
        # Where there is no light there are no edges either: one reason is enough.
        (Fault.BLURRED, measures["sharpness"] < _BLUR and not (is_dark or is_flat)),
        (Fault.GLARE, low < measures["glare"] < high),
        (Fault.SLANTING, abs(measures["slant"]) >= _SLANTING),
        (Fault.CROPPED, any(_is_cropped(band) for band in bands)),
    ]


# -- light and sharpness -----------------------------------------------------------------------------


def _share_point(grey: Image.Image, share: float) -> int:
    """The brightness below which this share of the picture lies."""
    wanted, seen = share * grey.width * grey.height, 0
    for value, count in enumerate(grey.histogram()):
        seen += count
        if seen >= wanted:
            return value
    return 255


def _contrast(grey: Image.Image) -> int:
    return _share_point(grey, 0.95) - _share_point(grey, 0.05)


def _sharpness(grey: Image.Image) -> float:
    """The variance of the Laplacian in the sharpest tiles: a plain table around the document does not count."""
    edges = ImageOps.crop(grey.filter(_LAPLACIAN), border=1)  # The filter leaves the rim as it was.
    variances = sorted((ImageStat.Stat(tile).var[0] for tile in _tiles(edges)), reverse=True)
    return sum(variances[:_SHARPEST]) / _SHARPEST


def _tiles(grey: Image.Image) -> list[Image.Image]:
    """Sixteen parts of the picture."""
    width, height = max(1, grey.width // 4), max(1, grey.height // 4)
    return [
        grey.crop((column * width, row * height, (column + 1) * width, (row + 1) * height))
        for row in range(4)
        for column in range(4)
    ]


def _glare(grey: Image.Image) -> float:
    """The share of the largest spot of pure white that touches no side: what touches one is the background."""
    small = grey.resize(_GRID, Image.Resampling.BOX)
    white = {place for place, value in enumerate(small.tobytes()) if value >= _SATURATED}
    largest = 0
    while white:
        spot = _spot(white, white.pop())
        largest = max(largest, 0 if any(map(_at_the_rim, spot)) else len(spot))
    return largest / (_GRID[0] * _GRID[1])


def _spot(white: set[int], start: int) -> list[int]:
    """All that hangs together with the start; it is taken out of ``white``."""
    spot, waiting = [], deque([start])
    while waiting:
        place = waiting.popleft()
        spot.append(place)
        neighbours = {place - 1, place + 1, place - _GRID[0], place + _GRID[0]} & white
        white -= neighbours
        waiting.extend(neighbours)
    return spot


def _at_the_rim(place: int) -> bool:
    row, column = divmod(place, _GRID[0])
    return row in (0, _GRID[1] - 1) or column in (0, _GRID[0] - 1)


# -- lines of text -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Lie:
    """How the document lies: the slant of its lines, the turn that sets it upright (both in degrees), its zone."""

    slant: int
    turn: int
    bands: tuple[_Band, ...] = ()


def _lie(grey: Image.Image, with_zone: bool) -> _Lie:
    """A zone that is found says best how it lies; without one, the lines have to stand out clearly."""
    standing = grey.transpose(Image.Transpose.ROTATE_90)
    for picture, turn in ((grey, 0), (standing, 90)):
        if with_zone and (bands := _zone(picture)):
            return _Lie(0, turn + (180 if _is_on_its_head(picture, bands) else 0), tuple(bands))
    across, upwards = _slants(grey), _slants(standing)
    is_sideways = max(upwards.values()) > _CLEARLY * max(across.values())
    found = upwards if is_sideways else across
    best = max(found, key=lambda angle: found[angle])
    return _Lie(best if found[best] > _CLEARLY * found[0] else 0, 90 if is_sideways else 0)


def _slants(grey: Image.Image) -> dict[int, float]:
    """How strongly the lines of text stand out when the picture is turned by so many degrees."""
    small = grey.copy()
    small.thumbnail((_LINES, _LINES))
    ink = _strokes(small)
    return {angle: _stripes(ink.rotate(angle, fillcolor=0)) for angle in _SLANTS}


def _strokes(grey: Image.Image) -> Image.Image:
    """What is darker than its surroundings: ink, whatever light falls on it."""
    around = grey.filter(ImageFilter.BoxBlur(max(2, grey.width // 50)))
    return ImageChops.subtract(around, grey).point(lambda value: 255 if value > 12 else 0)


def _stripes(edges: Image.Image) -> float:
    """How strongly rows of ink and rows without alternate; most where the lines of text lie level."""
    rows = edges.resize((1, edges.height), Image.Resampling.BOX).tobytes()
    return float(sum((one - other) ** 2 for one, other in pairwise(rows)))


# -- the machine-readable zone -----------------------------------------------------------------------


def _zone(upright: Image.Image) -> list[_Band]:
    """The lines of the zone: long, unbroken, of many signs, at least two."""
    height = max(1, round(upright.height * _ZONE_COPY / upright.width))
    ink = _strokes(upright.resize((_ZONE_COPY, height), Image.Resampling.BOX))
    closed = _closed(ink)
    rows = [_longest_run(_row(closed, place)) for place in range(height)]
    bands = [band for band in _bands(rows, height) if _signs(ink, band) >= _SIGNS]
    return bands if len(bands) >= _ZONE_LINES else []


def _row(ink: Image.Image, place: int) -> bytes:
    return ink.crop((0, place, ink.width, place + 1)).tobytes()


def _signs(ink: Image.Image, band: _Band) -> int:
    """How often ink begins in a usual row: the edge of a table is long as well, but one stroke."""
    rows = (_row(ink, place) for place in range(int(band.top * ink.height), int(band.bottom * ink.height)))
    return int(median(sum(after > before for before, after in pairwise(row)) for row in rows))


def _closed(ink: Image.Image) -> Image.Image:
    """A quarter as wide; what stands close together sideways is one, and single specks are none."""
    narrow = ink.resize((_ZONE_COPY // 4, ink.height), Image.Resampling.BOX).point(
        lambda value: 255 if value else 0
    )
    return narrow.filter(ImageFilter.BoxBlur((5, 1))).point(lambda value: 255 if value > _DENSE else 0)


def _longest_run(row: bytes) -> tuple[int, int]:
    """Where the longest run of ink begins and ends; (0, 0) where there is none."""
    best, start = (0, 0), None
    for place, value in enumerate((*row, 0)):
        if value and start is None:
            start = place
        elif not value and start is not None:
            best, start = max(best, (start, place), key=lambda run: run[1] - run[0]), None
    return best


def _bands(rows: list[tuple[int, int]], height: int) -> list[_Band]:
    """Neighbouring rows that run far enough, as one band each; thin ones are printed lines and not text."""
    width = _ZONE_COPY // 4
    long_enough = (right - left >= _ZONE_SPAN * width for left, right in rows)
    bands, place = [], 0
    for is_long, group in groupby(long_enough):
        end = place + len(list(group))
        if is_long and end - place >= _THIN:
            runs = rows[place:end]
            left, right = min(run[0] for run in runs), max(run[1] for run in runs)
            bands.append(_Band(place / height, end / height, left / width, right / width))
        place = end
    return bands


def _is_cropped(band: _Band) -> bool:
    return band.left < _RIM or band.right > 1 - _RIM or band.bottom > 1 - _RIM or band.top < _RIM


def _is_on_its_head(upright: Image.Image, bands: list[_Band]) -> bool:
    """The zone is at the foot of the page: where more ink lies below it than above, the page stands on its head."""
    rows = _strokes(upright).resize((1, upright.height), Image.Resampling.BOX).tobytes()
    above = rows[: round(min(band.top for band in bands) * len(rows))]
    below = rows[round(max(band.bottom for band in bands) * len(rows)) :]
    return sum(below) > sum(above)
