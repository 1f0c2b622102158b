"""Two chips side by side: what they are shown, and that they answer alike."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from cosim.program.stimulus import Step
from hw.spec import FLIT, Kind, Region

Responses = Sequence[NDArray[np.uint64]]


def describe(word: int) -> str:
    """A HOST flit in words, for the message of a failed comparison."""
    get = {name: FLIT.get(word, name) for name in FLIT.fields}
    kind, region = Kind(get["kind"]).name, Region(get["region"]).name
    return f"{kind} core ({get['x0']}, {get['y0']}) {region} {get['offset']} = {get['data']:#x}"


def assert_equal(expected: Responses, got: Responses, what: str) -> None:
    """Equal flits in every step; the message names the first step and flits that differ."""
    assert len(expected) == len(got), what
    for number, (want, have) in enumerate(zip(expected, got, strict=True)):
        want, have = np.sort(want), np.sort(have)
        if np.array_equal(want, have):
            continue
        missing = np.setdiff1d(want, have)[:3].tolist()
        extra = np.setdiff1d(have, want)[:3].tolist()
        raise AssertionError(
            f"{what}, step {number}: {len(want)} flits expected, {len(have)} came; "
            f"missing {[describe(w) for w in missing]}, extra {[describe(w) for w in extra]}"
        )


def thinned(rng: np.random.Generator, steps: list[Step], images: int) -> list[list[Step]]:
    """Steps that differ in their spikes only: parts of these."""
    return [
        [
            Step(step.flits[~_spikes(step) | (rng.random(len(step.flits)) < share)], step.go)
            for step in steps
        ]
        for share in rng.random(images)
    ]


def _spikes(step: Step) -> "np.ndarray[tuple[int], np.dtype[np.bool_]]":
    return np.asarray(FLIT.get(step.flits, "kind") == Kind.SPIKE)
