"""The page is whole by itself, says what the run says, and is readable without seeing it."""

import base64
import re
import struct
import zlib
from collections import Counter
from html.parser import HTMLParser

import pytest

from cosim.record.record import RunRecord
from cosim.report import document
from cosim.report import page as report
from tests.support.records import SETS, changed, make_run

VOID = {"meta", "link", "img", "br", "path", "circle"}


class Page(HTMLParser):
    """Tags and text of a page; `faults` are tags that do not close in order."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.faults: list[str] = []
        self.text = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID and (not self.open or self.open.pop() != tag):
            self.faults.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] != "style":
            self.text += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


def page_of(run: RunRecord) -> Page:
    return Page(report.render(run))


def spoilt_run() -> RunRecord:
    changes = {
        "mismatched_spikes": 3,
        "mismatched_membranes": 1,
        "first_mismatch": "image 17, tick 3, core (2, 5), neuron 41: <spike> & more",
    }
    run = changed(make_run(), {f"sets.fgsm_2.{name}": value for name, value in changes.items()})
    run.sets["fgsm_2"].spikes["conv3"]["rtl"] += 3
    return run


def test_nothing_comes_from_elsewhere() -> None:
    html = report.render(make_run())
    assert "http" not in html
    assert "@import" not in html
    for tag, attributes in Page(html).tags:
        assert tag not in ("script", "iframe", "object", "embed")
        for name in ("src", "href", "srcset", "action"):
            assert str(attributes.get(name) or "data:").startswith("data:"), (tag, attributes)
    assert not re.search(r"url\((?!data:)", html)


@pytest.mark.parametrize("run", [make_run(), spoilt_run(), make_run(images=1, columns=1, rows=1)])
def test_markup_is_sound(run: RunRecord) -> None:
    page = page_of(run)
    assert page.faults == []
    assert page.open == []
    identifiers = Counter(attributes["id"] for _, attributes in page.tags if "id" in attributes)
    assert set(identifiers.values()) == {1}


def test_equal_run() -> None:
    run = make_run()
    spikes = sum(chosen.compared_spikes for chosen in run.sets.values())
    page = page_of(run)
    headline = f"RTL equals golden: {spikes:,} spikes, 2,107,200 membranes compared, 0 mismatches"
    assert headline in page.text
    assert verdict_class(page) == "verdict good"
    assert "Equal: digits" in page.text


def test_different_run() -> None:
    page = page_of(spoilt_run())
    assert "RTL differs from golden: 3 spikes and 1 membranes mismatched" in page.text
    assert "first in fgsm_2: image 17, tick 3, core (2, 5), neuron 41: <spike> & more" in page.text
    assert verdict_class(page) == "verdict bad"
    assert "DIFFERENT: digits" in page.text
    assert sum(attributes.get("class") == "differs" for attributes in page.all("td")) == 1


def test_golden_that_differs_from_the_network_is_not_green() -> None:
    page = page_of(changed(make_run(), {"sets.clean.mapping_mismatches": 7}))
    assert verdict_class(page) == "verdict bad"
    assert "The golden model differs from the integer network in 7" in page.text


def test_a_run_that_compared_nothing_is_not_green() -> None:
    kinds = ("compared_spikes", "compared_membranes")
    page = page_of(
        changed(make_run(), {f"sets.{name}.{kind}": 0 for name in SETS for kind in kinds})
    )
    assert verdict_class(page) == "verdict bad"
    assert "0 mismatches" not in page.text


def verdict_class(page: Page) -> str | None:
    return next(
        attributes["class"]
        for attributes in page.all("div")
        if str(attributes.get("class")).startswith("verdict")
    )


def test_pictures_have_words_and_pixels() -> None:
    run = make_run()
    pictures = page_of(run).all("img")
    assert len(pictures) == len(SETS) * len(run.examples)
    first = run.examples[0]
    answer = run.sets["clean"].predictions["rtl"][0]
    label = run.labels[0]
    assert pictures[0]["alt"] == f"Image 0, a {label}, clean: the chip says {answer}"
    assert pixels_of(str(pictures[0]["src"])) == first.images["clean"]


def pixels_of(source: str) -> list[list[int]]:
    """Grey pixels of a PNG data URI, by the format's own rules."""
    data = base64.b64decode(source.removeprefix("data:image/png;base64,"))
    assert data.startswith(b"\x89PNG\r\n\x1a\n")
    chunks, place = {}, 8
    while place < len(data):
        length = int.from_bytes(data[place : place + 4], "big")
        kind, body = data[place + 4 : place + 8], data[place + 8 : place + 8 + length]
        check = int.from_bytes(data[place + 8 + length : place + 12 + length], "big")
        assert zlib.crc32(kind + body) == check
        chunks[kind] = body
        place += 12 + length
    width, height, depth, colour = struct.unpack(">IIBB", chunks[b"IHDR"][:10])
    assert (depth, colour) == (8, 0)
    raw = zlib.decompress(chunks[b"IDAT"])
    rows = [raw[y * (width + 1) : (y + 1) * (width + 1)] for y in range(height)]
    assert all(row[0] == 0 for row in rows)
    return [list(row[1:]) for row in rows]


def test_heat_maps_show_every_core_north_up() -> None:
    run = make_run(columns=3, rows=2)
    run.rtl.counters["flits"] = [[0, 1, 20], [300, 4_000, 50_000]]
    titles = [str(cell.get("title")) for cell in page_of(run).all("td") if "title" in cell]
    assert titles[:6] == [
        "core (0, 1): 300",
        "core (1, 1): 4,000",
        "core (2, 1): 50,000",
        "core (0, 0): 0",
        "core (1, 0): 1",
        "core (2, 0): 20",
    ]
    assert len(titles) == 6 * 6


def test_a_name_with_markup_stays_a_name() -> None:
    page = page_of(changed(make_run(), {"network": "<script>alert(1)</script>"}))
    assert page.all("script") == []
    assert "<script>alert(1)</script> on the NC64C chip" in page.text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (999, "999"),
        (1000, "1.0k"),
        (9_960, "10k"),
        (12_345, "12k"),
        (999_999, "1.0M"),
        (3_400_000, "3.4M"),
    ],
)
def test_short_numbers(value: int, text: str) -> None:
    assert document.short(value) == text
