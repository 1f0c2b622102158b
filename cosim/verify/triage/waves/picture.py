"""The waves around the first divergence as a picture: the RTL's above the golden model's."""

import io
from typing import Any

from cosim.report import plots
from cosim.verify.triage.waves.files import bits
from cosim.verify.triage.waves.lanes import Lanes

WIDE, LANE = 11.0, 0.34  # inches
NAME_SHARE = 0.2
COLOURS = {"rtl": "#0d8a68", "golden": "#b9780e"}
PARTED = "#c22f2f"


def picture(
    rtl: Lanes, golden: Lanes, names: list[str], span: tuple[int, int], mark: int | None
) -> bytes:
    """A PNG. Raises `InputError` without Matplotlib."""
    figure, axes = plots.drawing(WIDE, LANE * (2 * len(names) + 2))
    height = 0.0
    for name in names:
        for chip, lanes in (("rtl", rtl), ("golden", golden)):
            values = lanes.values.get(name, {})
            _lane(axes, values, span, -height, COLOURS[chip], wide=bits(name) > 1)
            axes.text(
                span[0],
                -height + 0.1,
                f"{chip} {name}  ",
                ha="right",
                color=COLOURS[chip],
                fontsize=7,
            )
            height += 1
        height += 0.25
    if mark is not None:
        axes.axvline(mark, color=PARTED, linewidth=1.2)
        axes.text(mark, 1.0, " first divergence", color=PARTED, fontsize=8)
    axes.set_xlim(*span)
    axes.set_ylim(-height, 1.8)
    axes.set_yticks([])
    axes.set_xlabel("ns; a clock cycle is 2")
    for side in ("left", "right", "top"):
        axes.spines[side].set_visible(False)
    out = io.BytesIO()
    figure.savefig(out, format="png", dpi=110, metadata={"Software": None})
    return out.getvalue()


def _lane(
    axes: Any, values: dict[int, int], span: tuple[int, int], y: float, colour: str, *, wide: bool
) -> None:
    """One signal: a line for a bit, boxes with numbers for a word."""
    start, end = span
    parts: list[tuple[int, int]] = []  # from when on, which value
    for time in sorted(time for time in values if time < end):
        if parts and parts[-1][0] <= start and time <= start:
            parts.pop()
        if not parts or parts[-1][1] != values[time]:
            parts.append((max(time, start), values[time]))
    for number, (left, value) in enumerate(parts):
        right = parts[number + 1][0] if number + 1 < len(parts) else end
        if wide:
            xs, ys = [left, left, right, right, left], [y, y + 0.7, y + 0.7, y, y]
            axes.plot(xs, ys, color=colour, lw=0.7)
            if right - left > (end - start) * 0.009 * len(str(value)):
                axes.text((left + right) / 2, y + 0.16, str(value), ha="center", fontsize=6)
        else:
            before = parts[number - 1][1] if number else value
            ys = [y + 0.7 * before, y + 0.7 * value, y + 0.7 * value]
            axes.plot([left, left, right], ys, color=colour, lw=1.0)
