"""Table 5 and the noise document of believable runs."""

import json
import re

import pytest

from cosim.record.record import RunRecord, to_json
from cosim.report.figures import adversarial_loss
from cosim.report.studies import noise, table5
from sw.common.errors import InputError
from sw.common.typed import plain
from tests.support.markdown import tables
from tests.support.records import changed, make_run

PNG = b"\x89PNG\r\n\x1a\n"


def with_sets(run: RunRecord, *names: str) -> RunRecord:
    """The run, its attacks named otherwise."""
    sets = dict(zip(names, run.sets.values(), strict=False))
    return changed(run, {"sets": plain(sets), "examples": []})


def rows(markdown: str, head: str) -> dict[str, list[str]]:
    """The cells of the first table below a heading, by its first column."""
    lines = markdown[markdown.index(head) :].splitlines()
    table = [line for line in lines if line.startswith("| ")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in table]
    return {row[0]: row[1:] for row in cells}


def test_the_papers_rows_and_ours() -> None:
    run = make_run()
    run.sets["fgsm_8"].predictions["rtl"] = run.sets["clean"].predictions["rtl"]
    text = table5.as_markdown(run)
    found = rows(text, "## White-box FGSM")
    assert found[""] == ["images", "clean accuracy, %", "eps 2", "eps 8", "eps 16"]
    assert found["the paper, hardware"] == ["", "83", "7.02", "10.00", "24.52"]
    assert [cell.split()[0] for cell in found["the paper, algorithm"][2:]] == [
        "5.42",
        "12.00",
        "23.27",
    ]
    assert found["the paper, hardware minus algorithm"][2:] == ["+1.60", "-2.00", "+1.25"]
    assert "[1] Table 1 has 7.41 and 6.37." in text
    for level, name in (("float", "Float"), ("rtl", "RTL")):
        losses = adversarial_loss(run, level)  # type: ignore[arg-type]
        cells = found[f"ours, {name}"]
        assert cells[0] == "200"
        for cell, loss in zip(cells[2:], losses.values(), strict=True):
            assert cell == f"{loss.value:.2f} [{loss.low:.2f}, {loss.high:.2f}]"
    assert found["ours, RTL"][3].startswith("0.00 [")
    gap = -adversarial_loss(run, "quantised")["fgsm_8"].value
    assert found["ours, RTL minus quantised"][3] == f"{gap:+.2f}"


def test_the_gap_is_over_the_images_in_rtl() -> None:
    run = changed(make_run(), {"rtl_images": 50})
    for chosen in run.sets.values():
        chosen.predictions["rtl"] = chosen.predictions["rtl"][:50]
    found = rows(table5.as_markdown(run), "## White-box FGSM")
    assert found["ours, Golden"][0] == "200"
    assert found["ours, RTL"][0] == found["ours, RTL minus quantised"][0] == "50"
    assert found["ours, RTL minus quantised"][2:] == ["+0.00"] * 3


def test_kinds_of_attack_have_tables_of_their_own() -> None:
    run = with_sets(make_run(), "clean", "pgd_8", "transfer_2", "fgsm_2")
    text = table5.as_markdown(run)
    assert len(tables(text)) == 4
    *headings, _ = re.findall("^## (.*)$", text, re.MULTILINE)
    assert headings == [table5.KINDS[kind] for kind in ("pgd", "transfer", "fgsm")]
    assert "the paper, hardware" not in text[: text.index("made on another network")]
    assert "FGSM and direct encoding only" in text
    assert [table["attack"] for table in table5.as_json(run)["tables"]] == [
        "pgd",
        "transfer",
        "fgsm",
    ]


def test_other_encodings_stand_alone() -> None:
    run = changed(make_run(), {"encoding": "rate"})
    text = table5.as_markdown(run)
    assert "the paper, hardware |" not in text
    assert "ours, RTL minus quantised" in text


def test_what_the_chip_takes() -> None:
    run = make_run()
    found = rows(table5.as_markdown(run), "## What the chip takes")
    assert found["layer"] == ["synaptic operations", "energy, nJ", "flits", "cycles"]
    operations = run.rtl.layers["fc1"].synaptic_ops / 800
    assert found["fc1"][:2] == [f"{operations:,.0f}", f"{operations * 0.00264:,.1f}"]
    assert [row[3] for row in found.values()] == ["cycles", "---", "-", "-", "-", "5,321"]
    assert "All layers work at the same time" in table5.as_markdown(run)
    run = changed(run, {"chip.mapping": "streamed", "rtl.layers.fc1.cycles": 800_000})
    text = table5.as_markdown(run)
    assert rows(text, "## What the chip takes")["fc1"][3] == "1,000"
    assert "All layers work at the same time" not in text


def test_json_and_pictures() -> None:
    run = make_run()
    document = json.loads(to_json(table5.as_json(run)))
    [table] = document["tables"]
    assert table["paper"]["chip"] == {"2": 7.02, "8": 10.0, "16": 24.52}
    assert table["ours"]["rtl"]["clean"]["images"] == 200
    pictures = table5.as_pictures(run)
    assert pictures["png"].startswith(PNG)
    assert pictures["svg"].startswith(b"<?xml")
    assert table5.as_pictures(run) == pictures


@pytest.mark.parametrize("names", [("clean",), ("fgsm_2", "fgsm_8")])
def test_a_run_without_losses(names: tuple[str, ...]) -> None:
    run = make_run()
    for name in run.sets.keys() - set(names):
        del run.sets[name]
    with pytest.raises(InputError, match=f"Table 5 needs .* this one has {', '.join(names)}"):
        table5.as_markdown(run)


def noisy_runs() -> list[RunRecord]:
    return [
        changed(make_run(seed), {"noise": {"bits": bits, "share": bits / 100}})
        for seed, bits in enumerate((0, 4, 8))
    ]


def test_noise_has_a_row_for_each_number_of_bits() -> None:
    runs = noisy_runs()
    text = noise.as_markdown(runs)
    assert len(tables(text)) == 2
    table = [line for line in text.splitlines() if re.match(r"\| \d", line)]
    assert len(table) == 2 * 2 * 3  # accuracy and loss, golden and RTL
    assert table[2].startswith("| 4 | 15 (4 %) | golden |")
    assert "0 mismatches" in text
    loss = adversarial_loss(runs[2], "rtl")["fgsm_16"]
    assert table[-1].endswith(f"| {loss.value:.2f} [{loss.low:.2f}, {loss.high:.2f}] |")
    document = json.loads(to_json(noise.as_json(runs)))
    assert [(row["bits"], row["mask"]) for row in document["rows"]] == [(0, 0), (4, 15), (8, 255)]
    assert document["rows"][2]["adv_loss"]["rtl"]["fgsm_16"]["value"] == round(loss.value, 4)
    assert document["rows"][2]["mismatches"] == 0


def test_noise_pictures() -> None:
    pictures = noise.as_pictures(noisy_runs())
    assert pictures["png"].startswith(PNG)
    only_attacks = noisy_runs()
    for run in only_attacks:
        del run.sets["clean"]
    assert noise.as_pictures(only_attacks)["svg"].startswith(b"<?xml")
