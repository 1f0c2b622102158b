"""What the host's ports play: each flit at the port of its rectangle's first row, and no other."""

import numpy as np
import pytest

from cosim.program.stimulus import Step
from cosim.rtl.played import STEP_END
from cosim.rtl.tb.testbench import port_words
from hw.spec import FLIT, Kind


def spikes(*rows: int) -> Step:
    flits = [FLIT.pack(kind=int(Kind.SPIKE), y0=row, y1=row, data=n) for n, row in enumerate(rows)]
    return Step(np.array(flits, np.uint64), go=True)


def test_each_port_plays_its_row_s_flits_in_order_and_every_end() -> None:
    steps = [spikes(1, 0, 1, 2), spikes(2)]
    words = port_words(steps, 3, wakes=[1])
    flits = [step.flits.tolist() for step in steps]
    ends = [
        FLIT.pack(kind=int(Kind.HOST)) | STEP_END.pack(tick=1, wake=wake, overlap=1 - wake)
        for wake in (0, 1)
    ]
    assert [port.tolist() for port in words] == [
        [flits[0][1], ends[0], ends[1]],
        [flits[0][0], flits[0][2], ends[0], ends[1]],
        [flits[0][3], ends[0], flits[1][0], ends[1]],
    ]


def test_a_flit_without_a_port_is_not_dropped_in_silence() -> None:
    with pytest.raises(ValueError, match="a flit for row 3: the chip has 3 rows"):
        port_words([spikes(0, 2), spikes(1, 3)], 3)
