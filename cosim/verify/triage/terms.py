"""A membrane's terms in a tick, as text: which axon and plane gave what, golden beside RTL."""

from collections.abc import Iterator

import numpy as np

from cosim.verify.triage.moments import Moment
from cosim.verify.triage.rules import outcome
from cosim.verify.triage.waves.wave import Visit

MOST = 200  # lines of single synapses


def terms(m: Moment, neuron: int, got: int | None, visit: Visit | None) -> str:
    """The terms of one neuron; `visit` has what the RTL's wave shows of it, `got` its membrane."""
    return "\n".join(_lines(m, neuron, got, visit)) + "\n"


def _lines(m: Moment, neuron: int, got: int | None, visit: Visit | None) -> Iterator[str]:
    made, config = outcome(m), m.config
    seen = {} if visit is None else visit.values

    def line(name: str, golden: int, signal: str = "", note: str = "") -> str:
        rtl = seen.get(signal)
        mark = "" if rtl is None or rtl == golden else "  <--"
        shown = "-" if rtl is None else str(rtl)
        return f"{name:<34}{golden:>14}{shown:>14}{mark}{'  ' + note if note else ''}"

    before = int(m.membrane[neuron])
    yield f"core ({m.x}, {m.y}), neuron {neuron}, tick {m.tick} since RESTART"
    yield f"{'':<34}{'golden':>14}{'RTL':>14}"
    yield line("v before", before)
    kept = before if config.leak is None else before - (before >> config.leak)
    yield line("leak", kept - before, note="none" if config.leak is None else f"k = {config.leak}")
    yield from _synapses(m, neuron)
    yield line("I", int(made.current[neuron]), "soma.current" if len(m.axons) == 1 else "")
    yield line("bias", int(config.bias[neuron]))
    yield line("sum", int(made.total[neuron]), "soma.total")
    yield line("v saturated", int(made.summed[neuron]))
    yield line("threshold", int(config.threshold[neuron]))
    yield line("noise", int(made.noise[neuron]), note=f"mask {config.noise_mask:#x}")
    yield line("fired", int(made.fired[neuron]), "soma.hit")
    yield line("after reset", int(made.settled[neuron]), "soma.settled", config.reset.name)
    yield line(
        "membrane stored", int(made.membrane[neuron]), "soma.membranes", f"floor {config.floor}"
    )
    if got is not None:
        yield f"{'membrane read back':<34}{int(made.membrane[neuron]):>14}{got:>14}"


def _synapses(m: Moment, neuron: int) -> Iterator[str]:
    met = np.argwhere(m.rows[:, neuron] & m.axons[:, None, :])  # page, plane, axon
    for page, plane, axon in met[:MOST].tolist():
        name = f"  page {page}, axon {axon}, plane {plane}"
        yield f"{name:<34}{int(m.config.plane_weight[plane]):>14}"
    if len(met) > MOST:
        yield f"  and {len(met) - MOST} synapses more"
    if not len(met):
        yield "  no synapse meets a spike"
