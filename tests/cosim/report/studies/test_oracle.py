"""The table of the chip as oracle: what stands beside what, and the sign of a gain."""

from typing import Any

from cosim.report.studies import oracle, oracle_noise
from tests.support import markdown


def entry(
    attack: str | None, asked: str | None, golden: list[int], queries: int, draws: int = 0
) -> dict[str, Any]:
    return {
        "attack": attack,
        "asked": asked,
        "draws": draws,
        "queries": queries,
        "golden": golden,
        "rtl": golden[:2],
        "compared_spikes": 10,
        "compared_membranes": 20,
        "mismatches": 0,
        "first_mismatch": None,
    }


def document(**changes: Any) -> dict[str, Any]:
    chips = {
        "noise_9": [
            entry(None, None, [1, 1, 1, 1], 0),
            entry("square", "float network", [1, 1, 1, 0], 400),
            entry("square", "quantised network", [1, 1, 1, 0], 400),
            entry("square", "this chip", [1, 0, 0, 0], 402),
            entry("square", "other seeds of its noise", [1, 1, 0, 0], 402, draws=3),
        ]
    }
    return {
        "command": "nc64c oracle",
        "network": "n",
        "dataset": "d",
        "images": 4,
        "rtl_images": 2,
        "eps": 8,
        "queries": 100,
        "draws": [3],
        "noise": {"noise_9": 0.4},
        "seed": 0,
        "labels": [1, 1, 1, 1],
        "chips": chips,
    } | changes


def test_the_chip_gains_what_is_right_in_software_and_wrong_on_it() -> None:
    clean, float_, quantised, chip, seeds = oracle.rows(document(), "noise_9")
    assert clean[:3] == ["none", "", ""]
    assert clean[3].startswith("100.0 [")
    assert (float_[4], quantised[4]) == ("", "")
    assert quantised[3].startswith("75.0 [")
    assert chip[2] == "100"  # queries an image
    assert chip[3].startswith("25.0 [")
    assert chip[4].startswith("50.0 [")
    assert chip[5].startswith("50.0 [")  # of the first two images
    assert seeds[1] == "other seeds of its noise (3)"


def test_the_page_says_how_much_was_compared() -> None:
    text = oracle.as_markdown(document())
    assert len(markdown.tables(text)) == 1 + len(document()["chips"])  # and that of noise
    assert "50 spikes and 100 membranes compared, 0 mismatches" in text
    assert "averages over other ones" in text
    plain = document(chips={"plain": document()["chips"]["noise_9"]}, noise={})
    assert "averages over other ones" not in oracle.as_markdown(plain)
    assert oracle_noise.as_pictures(plain) == {}


def test_noise_by_what_the_attacker_does_about_it() -> None:
    """From nothing to all, whatever the order of the rows; a plain chip has no noise to know."""
    found = document()
    rows = found["chips"]["noise_9"]
    rows += [
        entry("apgd", "quantised network, this noise", [0, 0, 0, 0], 4),
        entry("apgd", "quantised network, other seeds of it", [1, 0, 0, 0], 4, draws=3),
        entry("apgd", "quantised network", [1, 1, 0, 0], 4),
        entry("noise", "quantised network", [1, 1, 0, 0], 4),
    ]
    found["chips"] |= {"plain": [rows[0], *rows[2:4], rows[7]], "stuck_2": rows[:4]}
    names = ["chip", "not attacked", "noise ignored", "3 other seeds", "seed known"]
    assert oracle_noise.head(found) == names
    tables = oracle_noise.tables(found)
    plain = {
        attack: [cell.split(" ")[0] for cell in cells] for attack, [_, cells] in tables.items()
    }
    assert plain["square"] == ["plain", "100.0", "75.0", "", ""]
    assert plain["apgd"] == ["plain", "100.0", "50.0", "", ""]
    assert all(chip == "noise_9, 40 %" for [[chip, *_], _] in tables.values())
    shares = {
        attack: [cell.split()[0] for cell in cells] for attack, [[_, *cells], _] in tables.items()
    }
    assert shares == {
        "square": ["100.0", "75.0", "50.0", "25.0"],
        "apgd": ["100.0", "50.0", "25.0", "0.0"],
    }
    assert set(oracle_noise.as_pictures(found)) == {"png", "svg"}


def test_the_first_difference_of_each_chip() -> None:
    found = document()
    assert oracle.differences(found) == []
    found["chips"]["noise_9"][2]["first_mismatch"] = "image 3, tick 2"
    assert oracle.differences(found) == ["noise_9: image 3, tick 2"]
