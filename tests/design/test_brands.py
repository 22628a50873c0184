"""Whatever colour a brand brings, what is derived from it can be read."""

import pytest
from playwright.sync_api import Page

from tests.design.conftest import Show
from tests.design.gallery import render

pytestmark = pytest.mark.browser
SEEDS = [
    *(
        "#000000",
        "#ffffff",
        "#808080",
        "#777777",
        "#757575",
        "#ff0000",
        "#00ff00",
        "#0000ff",
        "#ffff00",
        "#ff00ff",
    ),
    *(
        "#00ffff",
        "#5b2a86",
        "#00704a",
        "#ffc043",
        "#0b1f3a",
        "#e20074",
        "#ff6600",
        "#1f4f8f",
        "#8bc34a",
        "#c0392b",
    ),
    *(
        "#d81b60",
        "#7b68ee",
        "#b8860b",
        "#2e8b57",
        "#4682b4",
        "#ff69b4",
        "#a0522d",
        "#20b2aa",
        "#6a5acd",
        "#dc143c",
    ),
]
ROLES = {
    "on-brand": ("brand", "brand-strong"),
    "brand-text": ("page", "surface", "brand-soft"),
    "ink": ("brand-soft",),
}
# A canvas turns any notation of a colour into the bytes that reach the screen.
READ = """([seed, names]) => {
  document.documentElement.style.setProperty('--brand-seed', seed);
  const brush = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
  const probe = document.body.appendChild(document.createElement('span'));
  const read = (name) => {
    probe.style.color = `var(--${name})`;
    brush.fillStyle = getComputedStyle(probe).color;
    brush.fillRect(0, 0, 1, 1);
    return [...brush.getImageData(0, 0, 1, 1).data].slice(0, 3);
  };
  return Object.fromEntries(names.map((name) => [name, read(name)]));
}"""


def luminance(rgb: list[int]) -> float:
    """Relative luminance, as WCAG 2.2 defines it."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (v / 255 for v in rgb)]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: list[int], other: list[int]) -> float:
    """Contrast ratio of two colours, 1 to 21."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def unreadable(page: Page, seed: str) -> list[str]:
    """Pairs below 4.5:1 for this seed."""
    names = sorted(set(ROLES) | {ground for grounds in ROLES.values() for ground in grounds})
    colours = page.evaluate(READ, [seed, names])
    pairs = [(words, ground) for words, grounds in ROLES.items() for ground in grounds]
    ratios = {pair: contrast(colours[pair[0]], colours[pair[1]]) for pair in pairs}
    return [f"{seed}: {a} on {b} {ratio:.2f}" for (a, b), ratio in ratios.items() if ratio < 4.5]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_derived_palette_is_readable_for_any_seed(show: Show, scheme: str) -> None:
    page = show(render("gallery/portal_case.html"), color_scheme=scheme)

    failures = [failure for seed in SEEDS for failure in unreadable(page, seed)]

    assert failures == []


def test_brand_stylesheet_colours_the_button(show: Show) -> None:
    page = show(render("gallery/portal_case.html"))

    colour = page.locator(".button--primary").first.evaluate("e => getComputedStyle(e).backgroundColor")

    assert colour == "rgb(91, 42, 134)"


def test_contrast_of_black_and_white() -> None:
    assert contrast([0, 0, 0], [255, 255, 255]) == pytest.approx(21)
