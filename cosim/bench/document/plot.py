"""The curves of the mesh as a picture, where matplotlib is installed."""

import importlib.util
import io

from cosim.bench.mesh.noc import Noc

COLOURS = ("#0072b2", "#d55e00", "#009e73")  # told apart by the colour-blind too
MARKERS = ("o", "s", "^")
MOST_LATENCY = 100  # cycles; above, the curves only say "saturated"


def installed() -> bool:
    """Whether matplotlib is there."""
    return importlib.util.find_spec("matplotlib") is not None


def curves(noc: Noc) -> bytes:
    """Latency and throughput against offered load, as SVG; the same figures give the same bytes."""
    import matplotlib
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 3.8), layout="constrained")
    latency, throughput = figure.subplots(1, 2)
    for (name, pattern), colour, marker in zip(
        noc["patterns"].items(), COLOURS, MARKERS, strict=True
    ):
        style = {"color": colour, "marker": marker, "markersize": 4}
        points = pattern["points"]
        known = [(p["offered"], p["mean_latency"]) for p in points if p["mean_latency"]]
        latency.plot(*zip(*known, strict=True), label=name, **style)
        accepted = [(p["offered"], p["accepted"]) for p in points]
        throughput.plot(*zip(*accepted, strict=True), label=name, **style)
        for axes in (latency, throughput):
            axes.axvline(pattern["bound"], color=colour, linestyle=":", linewidth=1)
    most = max(pattern["bound"] for pattern in noc["patterns"].values())
    latency.set(ylim=(0, MOST_LATENCY), ylabel="mean latency, cycles")
    throughput.set(ylabel="delivered, flits / cycle / sending node", ylim=(0, None))
    throughput.plot([0, most], [0, most], color="0.7", linewidth=1, zorder=0)
    for axes in (latency, throughput):
        axes.set(xlabel="offered load, flits / cycle / sending node", xlim=(0, 1.15 * most))
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(color="0.92")
    throughput.legend(title="dotted: bound of the links", loc="lower right", frameon=False)
    written = io.BytesIO()
    with matplotlib.rc_context({"svg.hashsalt": "nc64c"}):
        figure.savefig(written, format="svg", metadata={"Date": None})
    return written.getvalue()
