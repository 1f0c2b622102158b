"""A neuron's way through the core, signal by signal: where the wave leaves the golden tick."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from cosim.golden.cores.lfsr import lfsr_next, lfsr_run
from cosim.verify.triage.moments import Bits, Moment
from cosim.verify.triage.probe import Difference
from cosim.verify.triage.rules import Outcome, Rule
from cosim.verify.triage.waves.wave import CYCLE, Visit, Wave


@dataclass(frozen=True)
class Stage:
    """The first signal that differs.

    `loose` says that several rules meet in it, so that others may know better which.
    """

    rule: Rule
    register: str
    time: int | None
    how: str
    loose: bool = False


def first_stage(wave: Wave, at: Difference, m: Moment, right: Outcome) -> Stage | None:
    """Axons, counts, current, sum, noise, compare, reset, floor: the first that is not golden's.

    None: in the wave all of them are.
    """
    if at.tick not in wave.begins():
        return None
    begin = wave.begins()[at.tick]
    active = m.config.first_tick <= m.tick < m.config.last_tick
    visits = [visit for visit in wave.visits(at.tick) if visit.neuron < m.config.neurons]
    if active != bool(visits):
        done = "updates neurons" if visits else "updates no neuron"
        how = f"The RTL {done} in tick {m.tick} since RESTART, outside of what its window says."
        return Stage(Rule.WINDOW, "active", begin, how)
    mine = [visit for visit in visits if visit.neuron == at.offset]
    lasts = [visit for visit in mine if visit.last_pass]
    axons = wave.consumed(at.tick, *m.axons.shape)
    missing = set(np.flatnonzero(m.axons.any(axis=1)).tolist()) - wave.pages(at.tick)
    if missing:
        how = f"Page {min(missing)} has spikes, and is not among those that the RTL loads."
        return Stage(Rule.INPUT, "sequencer.load_page", begin, how)
    if (axons != m.axons).any():
        return _axons(m, axons, wave.arrived(at.tick, *m.axons.shape), begin)
    if not lasts:
        how = f"The RTL passes neuron {at.offset} {len(mine)} times, and never for the last time."
        return Stage(Rule.INPUT, "soma.fetch_neuron", begin, how)
    counts = _counts(m, mine, at.offset)
    if counts is not None:
        return counts
    found = _arithmetic(m, mine, lasts[-1], right, at.offset)
    if found is not None and found.rule is Rule.LFSR and _steps_right(visits):
        how = f"{found.how} Each step of it is right: it began with something else than SEED."
        return replace(found, rule=Rule.RESTART, how=how)
    return found


def lfsr_parts(wave: Wave, moments: Mapping[int, Moment]) -> tuple[int, int] | None:
    """The first of these ticks in which the LFSR is not the golden model's, and when in the wave.

    None: in the ticks that are in the wave it always is.
    """
    for tick, m in sorted(moments.items()):
        states, _ = lfsr_run(m.lfsr, m.config.neurons)
        for visit in wave.visits(tick) if tick in wave.begins() else ():
            known = visit.last_pass and visit.neuron < m.config.neurons
            if known and visit.values["soma.lfsr"] != states[visit.neuron]:
                return tick, visit.time
    return None


def _steps_right(visits: list[Visit]) -> bool:
    """Whether the LFSR goes from neuron to neuron as it must."""
    states = [visit.values["soma.lfsr"] for visit in visits if visit.last_pass]
    return all(lfsr_next(before) == after for before, after in pairwise(states))


def _axons(m: Moment, axons: Bits, arrived: Bits | None, time: int) -> Stage:
    """`arrived` is what the core's router gave it, if that is known."""
    words = []
    for name, which in (("lacks", m.axons & ~axons), ("has", axons & ~m.axons)):
        places = np.argwhere(which)[:5].tolist()
        if places:
            listed = ", ".join(f"page {page} axon {axon}" for page, axon in places)
            words.append(f"{name} {listed}{' and others' if which.sum() > 5 else ''}")
    how = f"Of the spikes that had come for this tick the axon buffer {' and '.join(words)}."
    if arrived is None or (arrived != axons).any():
        return Stage(Rule.TICK, "axons.word", time, how)
    how += " It keeps what the router gave it, so they were sent, or carried, to other axons."
    return Stage(Rule.SENDING, "axons.word", time, how)


def _counts(m: Moment, mine: list[Visit], neuron: int) -> Stage | None:
    met = (m.rows[:, neuron] & m.axons[:, None, :]).sum(axis=2)  # [pages, planes]
    spiking = m.axons.any(axis=1)
    passed = {visit.page: visit for visit in mine} if spiking.any() else {}
    for page in np.flatnonzero(spiking).tolist():
        if page not in passed:
            how = f"Page {page} has spikes, and is not among those that the RTL passes."
            return Stage(Rule.INPUT, "sequencer.load_page", mine[0].time, how)
        for plane in range(m.config.planes):
            name = f"dendrites.count_{plane}"
            got, wanted = passed[page].values[name], int(met[page, plane])
            if got != wanted:
                how = (
                    f"Of the synapses of neuron {neuron} in page {page}, plane {plane}, {wanted}"
                    f" meet a spike, and the RTL counts {got}."
                )
                return Stage(Rule.INPUT, name, passed[page].time - 2 * CYCLE, how)
    current = met @ m.config.plane_weight
    for page, visit in passed.items():
        got, wanted = visit.values["soma.current"], int(current[page])
        if page < len(current) and got != wanted:
            how = f"From right counts the RTL makes a current of {got}, and {wanted} is right."
            return Stage(Rule.INPUT, "dendrites.current", visit.time - CYCLE, how)
    return None


def _arithmetic(
    m: Moment, mine: list[Visit], last: Visit, right: Outcome, neuron: int
) -> Stage | None:
    got, time, config = last.values, last.time, m.config
    total, settled = int(right.total[neuron]), int(right.settled[neuron])
    if got["soma.total"] != total:
        shift = "no leak" if config.leak is None else f"leak shift {config.leak}"
        how = (
            f"From v = {int(m.membrane[neuron])}, {shift}, I = {int(right.current[neuron])} and"
            f" bias = {int(config.bias[neuron])} the RTL makes {got['soma.total']}, and {total} is"
            " right."
        )
        return Stage(Rule.SUM, "soma.total", mine[0].time, how, loose=len(mine) > 1)
    noise, wanted = got["soma.lfsr"] & config.noise_mask, int(right.noise[neuron])
    if noise != wanted:
        how = f"The LFSR gives noise {noise} to neuron {neuron}, and {wanted} is right."
        return Stage(Rule.LFSR, "soma.lfsr", time, how)
    if got["soma.hit"] != int(right.fired[neuron]):
        wanted_hit = "fired" if right.fired[neuron] else "not fired"
        how = (
            f"v = {int(right.summed[neuron])} meets the threshold {int(config.threshold[neuron])} +"
            f" noise {noise}: {wanted_hit} is right, and the RTL has hit = {got['soma.hit']}."
        )
        clipped = right.total[neuron] != right.summed[neuron]
        return Stage(Rule.FIRE, "soma.hit", time, how, loose=bool(clipped))
    if got["soma.settled"] != settled:
        rule = Rule.RESET_MODE if right.fired[neuron] else Rule.SUM
        what = f"reset {config.reset.name}" if right.fired[neuron] else "saturation"
        how = f"After {what} of v = {total} the RTL has {got['soma.settled']}, not {settled}."
        return Stage(rule, "soma.settled", time, how)
    return _stored(m, last, int(right.membrane[neuron]), settled)


def _stored(m: Moment, last: Visit, membrane: int, settled: int) -> Stage:
    stored = last.values.get("soma.membranes")
    if stored is None:
        how = f"Neuron {last.neuron} settles at {settled}, as it must; stored is something else."
        return Stage(Rule.READS, "soma.settled", last.time, how, loose=True)
    if stored != membrane:
        how = (
            f"From {settled} and FLOOR = {m.config.floor} the RTL stores {stored}, not {membrane}."
        )
        return Stage(Rule.FLOOR, f"soma.membranes[{last.neuron}]", last.time + CYCLE, how)
    how = (
        f"The RTL stores the right membrane, {membrane}, of neuron {last.neuron}: what it answers"
        " to the READ is something else."
    )
    return Stage(Rule.READS, "soma.access__reply", None, how)
