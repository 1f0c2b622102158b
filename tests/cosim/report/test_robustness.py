"""The page of a suite: flags first and not green then, every figure, curves that can be read."""

import re
from itertools import pairwise
from typing import Any

import pytest

from cosim.report.studies import robustness

ATTACKS = tuple(f"attack{number}" for number in range(10))


def found(*flags: str) -> dict[str, Any]:
    """Of ten attacks at two strengths, which all end within a few points of each other."""
    shares = {name: {"4": 60.0 + row, "9": 30.25 + row / 10} for row, name in enumerate(ATTACKS)}
    ends = {name: {"4": [50.0, 70.0], "9": [20.0, 40.0]} for name in ATTACKS}
    return {
        "network": "a <b>",
        "dataset": "digits",
        "images": 1234,
        "seed": 3,
        "suite": "quick",
        "checkpoint_sha256": "ab" * 32,
        "strengths": [4, 9],
        "clean": 98.5,
        "worst": {"4": 55.5, "9": 12.25},
        "attacks": shares,
        "how": {name: f"way of {name}" for name in ATTACKS},
        "curves": {
            name: {eps: [98.5, (98.5 + last) / 2, last] for eps, last in by_eps.items()}
            for name, by_eps in shares.items()
        },
        "intervals": {
            "clean": [97.0, 99.0],
            "worst": {"4": [50.5, 60.5], "9": [10.0, 15.0]},
            "attacks": ends,
        },
        "flags": list(flags),
        "right_at_255": 0.0,
    }


def test_flags_come_first_and_the_page_is_not_green_then() -> None:
    page = robustness.render(found("8/255: one", "two & three"))
    assert page.index("8/255: one") < page.index("two &amp; three") < page.index("12.2")
    assert 'class="verdict bad' in page
    assert 'class="verdict good' not in page
    assert "<title>DOUBTFUL: a &lt;b&gt; under attack</title>" in page


def test_without_flags_it_is_green_and_has_every_figure() -> None:
    page = robustness.render(found())
    assert 'class="verdict good' in page
    assert page.index("worst case at 4/255") < page.index('scope="row">attack0')
    for name in ATTACKS:
        assert f"way of {name}" in page
    assert "1,234 held-out images" in page
    for figure in ("98.5", "55.5", "50.5 to 60.5", "60.0", "30.9"):
        assert figure in page
    assert page.count("<polyline") == 11 + 2 * 10


def test_lines_have_one_style_each_in_every_panel() -> None:
    page = robustness.render(found())
    styles: dict[str, set[str]] = {}
    drawn = re.findall(r'style="fill: (var\(--l\d\))">([^<]*)</text>', page)
    for style, name in drawn:
        styles.setdefault(name, set()).add(style)
    assert set(styles) == {"worst case", *ATTACKS}
    assert all(len(each) == 1 for each in styles.values())


@pytest.mark.parametrize("ends", [[10.0, 10.0, 10.0], [0.0, 100.0], [5.0, 6.0, 90.0, 91.0]])
def test_labels_do_not_cover_each_other(ends: list[float]) -> None:
    labels = robustness._apart({str(row): end for row, end in enumerate(ends)})
    heights = sorted(labels.values())
    assert all(low - high >= robustness.GAP - 0.1 for high, low in pairwise(heights))
    assert sum(heights) == pytest.approx(sum(ends))
