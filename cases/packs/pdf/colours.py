"""Brand colours that stay legible, whatever a brand chooses."""

from __future__ import annotations

import re

_HEX = re.compile(r"#?([0-9a-fA-F]{6})\Z")
_DEFAULT = (0x1F, 0x4E, 0x79)
READABLE = 4.5  # WCAG 2.2, 1.4.3: contrast of text with its ground
WHITE = (255, 255, 255)


def accent(colour: str) -> str:
    """The brand's colour as PDF numbers, darkened until text in it can be read on white and white on it."""
    rgb = _parsed(colour)
    while contrast(rgb, WHITE) < READABLE:
        rgb = tuple(int(part * 0.94) for part in rgb)
    return " ".join(f"{part / 255:.3f}" for part in rgb)


def _parsed(colour: str) -> tuple[int, ...]:
    match = _HEX.match(colour.strip())
    return tuple(bytes.fromhex(match[1])) if match else _DEFAULT


def contrast(one: tuple[int, ...], other: tuple[int, ...]) -> float:
    """Contrast ratio of two colours, from 1 to 21 (WCAG 2.2, relative luminance)."""
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


def _luminance(rgb: tuple[int, ...]) -> float:
    linear = [c / 3294.6 if c <= 10 else ((c / 255 + 0.055) / 1.055) ** 2.4 for c in rgb]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
