"""Figures by level, worked out by hand, from the shards' results to every table and picture.

Ten images in two sets; the first five go through the RTL, in two shards, the others up to the
golden model in a third one. All four levels differ in everything, so that a figure under another
level's name, of other images, or of the right answers alone shows.

Right answers, of 10 images (RTL: of 5), and of the first 5 alone:

    level      clean     fgsm_8    loss   | clean    fgsm_8    loss
    float      10: 100 %  7: 70 %  30     | 5: 100 %  4: 80 %  20
    quantised   9:  90 %  5: 50 %  40     | 4:  80 %  0:  0 %  80
    golden      7:  70 %  2: 20 %  50     | 2:  40 %  2: 40 %   0
    rtl         3:  60 %  0:  0 %  60     | 3:  60 %  0:  0 %  60
"""

import io
import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from cosim.cli.findings.verdict import accuracy_table
from cosim.experiment.collect import Collected, gather
from cosim.experiment.images.image_file import ImageSet, ImageSets
from cosim.experiment.plan import Result, RtlCounts, RunSettings, Shard
from cosim.record.record import LEVELS, LayerCounts, Level, RunRecord, Spikes
from cosim.report import page, plots
from cosim.report.ci.summary import summary
from cosim.report.figures import accuracy, adversarial_loss, images
from cosim.report.studies import noise, table5
from sw.common.intervals import paired, wilson
from tests.support.subjects import CONFIG, FACTS, SHAPE, make_subject

COUNT, SAMPLE = 10, 5
# By set and level: which images are right; the label is the image's number.
RIGHT = {
    "clean": {
        "float": "1111111111",
        "quantised": "0111111111",
        "golden": "1010011111",
        "rtl": "11001",
    },
    "fgsm_8": {
        "float": "1101101110",
        "quantised": "0000011111",
        "golden": "0011000000",
        "rtl": "00000",
    },
}
ACCURACY = {
    "clean": {"float": 100.0, "quantised": 90.0, "golden": 70.0, "rtl": 60.0},
    "fgsm_8": {"float": 70.0, "quantised": 50.0, "golden": 20.0, "rtl": 0.0},
}
SAMPLE_ACCURACY = {
    "clean": {"float": 100.0, "quantised": 80.0, "golden": 40.0, "rtl": 60.0},
    "fgsm_8": {"float": 80.0, "quantised": 0.0, "golden": 40.0, "rtl": 0.0},
}
LOSS = {"float": 30.0, "quantised": 40.0, "golden": 50.0, "rtl": 60.0}
SAMPLE_LOSS = {"float": 20.0, "quantised": 80.0, "golden": 0.0, "rtl": 60.0}
IMAGES = {"float": 10, "quantised": 10, "golden": 10, "rtl": 5}
# Spikes of the three shards, by set, layer and level; the third has no RTL and counts nowhere.
SPIKES: dict[str, list[Spikes]] = {
    "clean": [
        {
            "conv1": {"float": 1, "quantised": 2},
            "conv2": {"float": 10, "quantised": 20, "golden": 30, "rtl": 40},
            "fc1": {"float": 5, "quantised": 6, "golden": 7, "rtl": 8},
        },
        {
            "conv1": {"float": 100, "quantised": 200},
            "conv2": {"float": 1000, "quantised": 2000, "golden": 3000, "rtl": 4000},
            "fc1": {"float": 500, "quantised": 600, "golden": 700, "rtl": 800},
        },
        {
            "conv1": {"float": 70000, "quantised": 70000},
            "conv2": {"float": 70000, "quantised": 80000, "golden": 90000},
            "fc1": {"float": 70000, "quantised": 80000, "golden": 90000},
        },
    ],
    "fgsm_8": [
        {
            "conv1": {"float": 3, "quantised": 4},
            "conv2": {"float": 11, "quantised": 21, "golden": 31, "rtl": 41},
            "fc1": {"float": 9, "quantised": 10, "golden": 11, "rtl": 12},
        },
        {
            "conv1": {"float": 300, "quantised": 400},
            "conv2": {"float": 1100, "quantised": 2100, "golden": 3100, "rtl": 4100},
            "fc1": {"float": 900, "quantised": 1000, "golden": 1100, "rtl": 1200},
        },
        {
            "conv1": {"float": 70000, "quantised": 70000},
            "conv2": {"float": 70000, "quantised": 80000, "golden": 90000},
            "fc1": {"float": 70000, "quantised": 80000, "golden": 90000},
        },
    ],
}
SUMS = {  # 10 + 1000 and so on
    "clean": {
        "conv1": {"float": 101, "quantised": 202},
        "conv2": {"float": 1010, "quantised": 2020, "golden": 3030, "rtl": 4040},
        "fc1": {"float": 505, "quantised": 606, "golden": 707, "rtl": 808},
    },
    "fgsm_8": {
        "conv1": {"float": 303, "quantised": 404},
        "conv2": {"float": 1111, "quantised": 2121, "golden": 3131, "rtl": 4141},
        "fc1": {"float": 909, "quantised": 1010, "golden": 1111, "rtl": 1212},
    },
}
PARTS = (slice(0, 2), slice(2, 5), slice(5, 10))
# What each shard compared and found: spikes, membranes, those that differ, and of the mapping.
COMPARED = {
    "clean": [(37, 60, 3, 1, 0), (3700, 90, 20, 4, 2), (0, 0, 0, 0, 5)],
    "fgsm_8": [(42, 61, 6, 0, 0), (4200, 91, 0, 7, 0), (0, 0, 0, 0, 0)],
}
TOTALS = {"clean": (3737, 150, 23, 5, 7), "fgsm_8": (4242, 152, 6, 7, 0)}
ZERO = {"clean": 0, "fgsm_8": 2}


def answers(name: str, level: str, part: slice) -> list[int]:
    """The label where it is right, the next class where it is not."""
    found = RIGHT[name][level]
    return [(at if found[at] == "1" else at + 1) % 10 for at in range(*part.indices(len(found)))]


def rtl_counts(shard: int) -> RtlCounts:
    """Ticks, cycles, seconds and counters of a shard in RTL; operations 12 + 30, flits 6 + 18."""
    counters = {
        name: [[shard + 1] * SHAPE.columns] * SHAPE.rows
        for name in ("flits", "stalls", "busy_cycles", "spikes_out")
    }
    counters["synaptic_ops"] = [[2 + 3 * shard] * SHAPE.columns] * SHAPE.rows
    layer = LayerCounts(cycles=None, ticks=None, synaptic_ops=4 + shard, flits=2 + shard)
    return RtlCounts(
        ticks=10 + shard,
        cycles=1000 + shard,
        wall_s=2.0 + shard,
        counters=counters,
        layers={"conv2": layer},
    )


def result(name: str, shard: int) -> Result:
    levels = LEVELS if shard < 2 else LEVELS[:3]
    spikes, membranes, wrong_spikes, wrong_membranes, wrong_mapping = COMPARED[name][shard]
    predictions: dict[Level, list[int]] = {
        level: answers(name, level, PARTS[shard]) for level in levels
    }
    return Result(
        predictions={"rtl": [], **predictions},
        spikes=SPIKES[name][shard],
        spikes_compared=spikes,
        membranes_compared=membranes,
        spikes_mismatched=wrong_spikes,
        membranes_mismatched=wrong_membranes,
        first_mismatch=f"{name} in shard {shard}" if wrong_spikes else None,
        mapping_mismatches=wrong_mapping,
        rtl=rtl_counts(shard) if shard < 2 else None,
        seconds={"golden": 1.0},
    )


@pytest.fixture(scope="module")
def run() -> RunRecord:
    zero = {name: np.arange(COUNT) < count for name, count in ZERO.items()}
    pixels = {name: np.full((COUNT, 1, 8, 8), len(name), np.uint8) for name in RIGHT}
    content = ImageSets(
        "digits",
        CONFIG.classes,
        np.arange(COUNT),
        np.arange(COUNT),
        {name: ImageSet(pixels[name], zero[name]) for name in RIGHT},
    )
    common = RunSettings(b"", SHAPE, seed=5, noise_bits=0, front_door=False, code="")
    places = [(name, shard) for name in RIGHT for shard in range(len(PARTS))]
    shards = [
        Shard(common, name, PARTS[at].start, pixels[name][PARTS[at]], rtl=at < 2)
        for name, at in places
    ]
    collected = Collected(shards, [result(name, at) for name, at in places])
    return gather(make_subject(), content, collected, clock_mhz=100.0, build_s=0.0, facts=FACTS)


def test_the_table_above_is_of_these_answers() -> None:
    for name, levels in RIGHT.items():
        for level, right in levels.items():
            assert ACCURACY[name][level] == 100 * right.count("1") / IMAGES[level]
            assert SAMPLE_ACCURACY[name][level] == 100 * right[:SAMPLE].count("1") / SAMPLE
    for table in (ACCURACY["clean"], ACCURACY["fgsm_8"], SAMPLE_ACCURACY["clean"], LOSS):
        assert len(set(table.values())) == len(LEVELS)
    assert len(set(SAMPLE_LOSS.values())) == len(LEVELS)


# ---------------------------------------------------------------- gather, figures, summary
def test_the_record(run: RunRecord) -> None:
    assert run.rtl_images == SAMPLE
    assert run.labels == list(range(COUNT))
    for name, chosen in run.sets.items():
        for level in LEVELS:
            part = slice(0, IMAGES[level])
            assert chosen.predictions[level] == answers(name, level, part), (name, level)
        assert chosen.spikes == SUMS[name]
        found = (
            chosen.compared_spikes,
            chosen.compared_membranes,
            chosen.mismatched_spikes,
            chosen.mismatched_membranes,
            chosen.mapping_mismatches,
        )
        assert found == TOTALS[name]
        assert chosen.first_mismatch == f"{name} in shard 0"
        assert chosen.zero_gradients == ZERO[name]
    assert (run.rtl.ticks, run.rtl.cycles) == (2 * 21, 2 * 2001)
    assert run.rtl.process_s == 2 * 5.0
    assert run.rtl.counters["synaptic_ops"] == [[2 * 7] * 3] * 2
    assert run.rtl.layers["conv2"].synaptic_ops == 2 * 9


def test_figures(run: RunRecord) -> None:
    assert images(run) == IMAGES
    for level in LEVELS:
        for name in RIGHT:
            right = [at == "1" for at in RIGHT[name][level]]
            for sample, expected in ((False, ACCURACY), (True, SAMPLE_ACCURACY)):
                chosen = right[:SAMPLE] if sample else right
                low, high = wilson(sum(chosen), len(chosen))
                found = accuracy(run, name, level, sample=sample)
                assert found == (expected[name][level], 100 * low, 100 * high, len(chosen))
        for sample, losses in ((False, LOSS), (True, SAMPLE_LOSS)):
            count = SAMPLE if sample else IMAGES[level]
            clean, fooled = (
                [at == "1" for at in RIGHT[name][level][:count]] for name in ("clean", "fgsm_8")
            )
            low, high = paired(clean, fooled)
            loss = adversarial_loss(run, level, sample=sample)["fgsm_8"]
            assert loss.value == pytest.approx(losses[level], abs=1e-9)
            assert loss[1:] == (100 * low, 100 * high, count)


def test_summary(run: RunRecord) -> None:
    found = summary(run)
    assert found["images"] == SAMPLE
    assert found["level_images"] == IMAGES
    for name, chosen in found["sets"].items():
        assert chosen["accuracy"] == ACCURACY[name]
        assert chosen["sample_accuracy"] == SAMPLE_ACCURACY[name]
        assert chosen["spikes"] == {
            layer: {level: SUMS[name][layer][level] for level in ("golden", "rtl")}
            for layer in ("conv2", "fc1")
        }
        keys = (
            "compared_spikes",
            "compared_membranes",
            "mismatched_spikes",
            "mismatched_membranes",
        )
        assert tuple(chosen[key] for key in keys) == TOTALS[name][:4]
        for level in LEVELS:
            right = RIGHT[name][level].count("1")
            low, high = wilson(right, IMAGES[level])
            interval = [round(100 * low, 4), round(100 * high, 4)]
            assert chosen["accuracy_interval"][level] == interval
    assert found["adv_loss"] == {level: {"fgsm_8": loss} for level, loss in LOSS.items()}
    assert found["sample_adv_loss"] == {
        level: {"fgsm_8": loss} for level, loss in SAMPLE_LOSS.items()
    }
    # 5 images in each of 2 sets; 6 cores of 14 operations.
    assert found["rtl"]["synaptic_ops"] == 6 * 14
    assert found["rtl"]["images_per_s"] == 10 / 10.0
    assert found["hardware"]["synaptic_ops_per_image"] == 6 * 14 / 10
    assert found["hardware"]["cycles_per_image"] == 4002 / 10
    assert found["hardware"]["flits_per_image"] == 6 * 6 / 10
    assert found["hardware"]["layers"]["conv2"]["flits"] == 2 * 5 / 10


# ---------------------------------------------------------------- tables
def cells(html: str, caption: str) -> Iterator[list[str]]:
    """Rows of the table with this caption, as text."""
    table = html[html.index(f"<caption>{caption}</caption>") :]
    for row in re.findall(r"<tr.*?</tr>", table[: table.index("</table>")], re.DOTALL):
        found = re.findall(r"<t[hd].*?</t[hd]>", row, re.DOTALL)
        yield [" ".join(re.sub(r"<[^>]*>", " ", cell).split()) for cell in found]


NAMES: dict[Level, str] = {
    "float": "Float",
    "quantised": "Quantised",
    "golden": "Golden",
    "rtl": "RTL",
}


def test_the_pages_tables(run: RunRecord) -> None:
    html = page.render(run)
    figures = {row[0]: row[1:] for row in cells(html, "All figures")}
    for level, name in NAMES.items():
        found = [cell.split()[0] for cell in figures[name]]
        values = (ACCURACY["clean"][level], ACCURACY["fgsm_8"][level], LOSS[level])
        assert found == [str(IMAGES[level]), *(f"{value:.2f}" for value in values)]
    rows = list(cells(html, "Spikes"))
    assert rows[0] == ["Layer", "Level", "clean", "fgsm_8"]
    counts, layer = {}, ""
    for row in rows[1:]:
        layer = row[0] if len(row) == 4 else layer
        counts[layer, row[-3]] = [int(cell.split()[0].replace(",", "")) for cell in row[-2:]]
    assert counts == {
        (layer, NAMES[level]): [SUMS[name][layer][level] for name in RIGHT]
        for layer, levels in SUMS["clean"].items()
        for level in LEVELS
        if level in levels
    }
    assert html.count('class="differs"') == 4  # RTL against golden: two layers in two sets
    text = " ".join(re.sub(r"<[^>]*>", " ", html).split())
    assert "Clean accuracy, RTL 60.00 %" in text
    assert "quantised algorithm 80.00 %" in text  # of the images in RTL
    loss = text[text.index("Adversarial loss, fgsm_8, RTL 60.00 points") :]
    assert loss[: loss.index("Cores in use")].strip().endswith("quantised algorithm 80.00")
    assert "29 spikes and 12 membranes mismatched; 7,979 spikes, 302 membranes compared" in text
    assert "fgsm_8 20 %" in text  # whose gradient is zero
    for index in range(SAMPLE):
        for name in RIGHT:
            (answer,) = answers(name, "rtl", slice(index, index + 1))
            assert f"Image {index}, a {index}, {name}: the chip says {answer}" in html
    # A chart's bars, by level: clean, attacked, loss.
    bars = re.findall(r'<i class="(\w+)" style="width: ([\d.]+)%', html)
    tops = [(table, top) for table, top in ((ACCURACY["clean"], 100), (ACCURACY["fgsm_8"], 100))]
    expected = [(level, 100 * table[level] / top) for table, top in tops for level in LEVELS]
    expected += [(level, round(100 * LOSS[level] / 60, 2)) for level in LEVELS]
    assert [(level, float(width)) for level, width in bars] == expected


def rows_of(markdown: str) -> dict[str, list[str]]:
    """Cells by the first column, of all tables."""
    lines = [line for line in markdown.splitlines() if line.startswith("| ")]
    split = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return {row[0]: row[1:] for row in split}


def test_table5(run: RunRecord) -> None:
    found = rows_of(table5.as_markdown(run))
    for level, name in NAMES.items():
        count, clean, loss = found[f"ours, {name}"]
        assert count == str(IMAGES[level])
        assert clean.split()[0] == f"{ACCURACY['clean'][level]:.2f}"
        assert loss.split()[0] == f"{LOSS[level]:.2f}"
    assert found["ours, RTL minus quantised"] == ["5", "", "-20.00"]  # 60 - 80, of the same images
    document = table5.as_json(run)
    (table,) = document["tables"]
    assert {level: one["clean"]["value"] for level, one in table["ours"].items()} == {
        level: ACCURACY["clean"][level] for level in LEVELS
    }
    losses = {level: round(one["loss"]["8"]["value"], 9) for level, one in table["ours"].items()}
    assert losses == LOSS
    assert table["rtl_minus_quantised"] == {"8": -20.0}
    assert document["mismatches"] == 23 + 5 + 7 + 6 + 7


def test_noise(run: RunRecord) -> None:
    lines = noise.as_markdown([run]).splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if "|" in line]
    found = [(row[2], *(cell.split()[0] for cell in row[3:])) for row in rows if row[0] == "0"]
    assert found == [
        ("golden", "70.00", "20.00"),
        ("rtl", "60.00", "0.00"),
        ("golden", "50.00"),
        ("rtl", "60.00"),
    ]
    (row,) = noise.as_json([run])["rows"]
    for level in LEVELS:
        assert {name: one["value"] for name, one in row["accuracy"][level].items()} == {
            name: ACCURACY[name][level] for name in RIGHT
        }
        assert row["adv_loss"][level]["fgsm_8"]["value"] == LOSS[level]
    assert row["compared_spikes"] == 7979
    assert row["compared_membranes"] == 302


def test_the_consoles_table(run: RunRecord) -> None:
    console = Console(width=200, record=True, file=io.StringIO())
    console.print(accuracy_table(run))
    found = [re.findall(r"[\w.,%]+", line) for line in console.export_text().splitlines()]
    values = {(row[0], row[1].strip(",")): row[-4:] for row in found if len(row) >= 6}
    for name in RIGHT:
        expected = [f"{ACCURACY[name][level]:.2f}" for level in LEVELS]
        assert values[name, "accuracy"] == expected
    assert values["fgsm_8", "adversarial"] == [f"{LOSS[level]:.2f}" for level in LEVELS]


# ---------------------------------------------------------------- pictures
def drawn(
    monkeypatch: pytest.MonkeyPatch, draw: Any, argument: Any
) -> list[dict[str, list[float]]]:
    """Each panel's lines and error bars by label: their heights."""
    figures: list[Any] = []

    def keep(figure: Any) -> dict[str, bytes]:
        figures.append(figure)
        return {}

    monkeypatch.setattr(plots, "as_files", keep)
    draw(argument)
    panels = []
    for panel in figures[0].axes:
        lines = {line.get_label(): line.get_ydata() for line in panel.get_lines()}
        bars = {bar.get_label(): bar[0].get_ydata() for bar in panel.containers}
        heights = {str(label): list(map(float, ys)) for label, ys in (lines | bars).items()}
        panels.append(heights)
    return panels


def test_the_picture_of_table5(run: RunRecord, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("matplotlib", reason="Matplotlib is not installed (extra plots)")
    (panel,) = drawn(monkeypatch, table5.as_pictures, run)
    for level, name in NAMES.items():
        assert panel[f"{name}, {IMAGES[level]} images"] == pytest.approx([LOSS[level]])


def test_the_picture_of_noise(run: RunRecord, monkeypatch: pytest.MonkeyPatch) -> None:
    """Golden as a line with the set's name, RTL as marks."""
    pytest.importorskip("matplotlib", reason="Matplotlib is not installed (extra plots)")
    right, lost = drawn(monkeypatch, noise.as_pictures, [run])
    assert right["clean"] == [pytest.approx(70)]
    assert right["fgsm_8"] == [pytest.approx(20)]
    assert lost["fgsm_8"] == [pytest.approx(50)]
    marks = [heights for label, heights in right.items() if label not in RIGHT]
    assert [pytest.approx(60)] in marks
    assert [pytest.approx(0)] in marks
    assert [pytest.approx(60)] in [heights for label, heights in lost.items() if label not in RIGHT]
