"""The golden model's ticks as signals of hw/, put where the RTL does the same; and the RTL's."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from cosim.golden.cores.lfsr import lfsr_run
from cosim.verify.triage.moments import Moment
from cosim.verify.triage.rules import outcome
from cosim.verify.triage.waves.wave import CYCLE, Numbers, Visit, Wave
from hw.spec import AXON, CORNERS, FANOUT, FLIT, Counter, Kind, Region, Register

AT_REST = ("soma.hit", "soma.fired_valid", "soma.settled")  # 0 while no neuron fires
ELSEWHERE = {"soma.current": "dendrites.current"}  # where the RTL's wave surely has it
AXON_WORD = 64


@dataclass
class Lanes:
    """Signals of one chip: {name: {time: value}}."""

    values: dict[str, dict[int, int]] = field(default_factory=lambda: defaultdict(dict))

    def put(self, name: str, time: int, value: int) -> None:
        self.values[name][time] = value


@dataclass(frozen=True, eq=False)
class GoldenCore:
    """A core of the golden model in some ticks.

    Attributes:
        moments: the core at each `go`, by tick.
        counters, membranes: what it answers after each tick, {tick: {offset: word}}.
        registers: what they hold before the first tick, {offset: word}; empty: not asked for.
        neurons: whose membranes are shown.
    """

    moments: dict[int, Moment]
    counters: dict[int, dict[int, int]]
    membranes: dict[int, dict[int, int]]
    registers: dict[int, int]
    neurons: list[int]


def golden_lanes(wave: Wave, golden: GoldenCore) -> Lanes:
    """The golden model's ticks, put where the RTL does the same.

    A neuron's values stand in the cycle in which the RTL has that neuron in the same stage, its
    membrane where the RTL writes it, what is loaded, sent or answered where the RTL does so for the
    same time; what the RTL leaves out, at the end of the tick.
    """
    lanes = Lanes()
    begins = wave.begins()
    for tick, moment in sorted(golden.moments.items()):
        if tick in begins:
            lanes.put("emitter.tick", begins[tick], moment.tick)
            active = moment.config.first_tick <= moment.tick < moment.config.last_tick
            lanes.put("active", begins[tick], int(active))
            for offset, value in golden.registers.items():
                if offset in set(Register):
                    lanes.put(f"registers.{Register(offset).name.lower()}", begins[tick], value)
            _put_neurons(lanes, wave, moment, tick, golden.neurons)
            if active:
                _put_inputs(lanes, wave, moment, tick)
            _put_sent(lanes, wave, moment, tick)
            _put_answers(lanes, wave, golden, tick)
    return lanes


def _put_neurons(lanes: Lanes, wave: Wave, moment: Moment, tick: int, shown: list[int]) -> None:
    """What becomes of each neuron, where the RTL has it for the last time in the tick."""
    begin, end = wave.begins()[tick], wave.last(tick)
    made = outcome(moment)
    states, after = lfsr_run(moment.lfsr, moment.config.neurons)
    for name in AT_REST:
        lanes.put(name, begin, 0)
    lanes.put("soma.lfsr", begin, moment.lfsr)
    for neuron in shown:
        name = f"soma.membranes[{neuron}]"
        if name not in lanes.values:
            lanes.put(name, begin, int(moment.membrane[neuron]))
    visits = {v.neuron: v for v in wave.visits(tick) if v.last_pass}
    for neuron in range(moment.config.neurons):
        visit = visits.get(neuron)
        if visit is not None:
            _put_neuron(lanes, moment, visit, [*states.tolist(), after])
        if neuron in shown:
            time = end if visit is None else visit.time + CYCLE - 1
            lanes.put(f"soma.membranes[{neuron}]", time, int(made.membrane[neuron]))


def _put_neuron(lanes: Lanes, moment: Moment, visit: Visit, states: list[int]) -> None:
    made, n, start = outcome(moment), visit.neuron, visit.time - 1
    for name, value in (
        ("soma.fire_neuron", n),
        ("soma.total", int(made.total[n])),
        ("soma.lfsr", states[n]),
        ("soma.hit", int(made.fired[n])),
        ("soma.fired_valid", int(made.fired[n])),
        ("soma.settled", int(made.settled[n])),
    ):
        lanes.put(name, start, value)
    for name in AT_REST:
        lanes.values[name].setdefault(start + CYCLE, 0)
    lanes.values["soma.lfsr"].setdefault(start + CYCLE, states[n + 1])


def _put_inputs(lanes: Lanes, wave: Wave, moment: Moment, tick: int) -> None:
    """Axons as they are loaded; counts and current of each neuron and page."""
    times = wave.cycles(tick)
    loads = times[wave.at("axons.load", times) == 1]
    places = zip(wave.at("axons.load_page", loads), wave.at("axons.load_word", loads), strict=True)
    for time, (page, word) in zip(loads.tolist(), places, strict=True):
        if page < len(moment.axons):
            taken = moment.axons[page, AXON_WORD * word : AXON_WORD * (word + 1)]
            bits = int.from_bytes(np.packbits(taken, bitorder="little").tobytes(), "little")
            lanes.put("axons.word", time + CYCLE - 1, bits)
    spiking = np.flatnonzero(moment.axons.any(axis=1)).tolist()
    wanted = [page for page in spiking for _ in range(moment.axons.shape[1] // AXON_WORD)]
    _put_in_order(lanes, "sequencer.load_page", wanted, loads, wave.last(tick))
    for visit in wave.visits(tick):
        if visit.neuron < moment.config.neurons and visit.page < len(moment.axons):
            rows = moment.rows[visit.page, visit.neuron]
            met = (rows & moment.axons[visit.page]).sum(axis=-1)
            start = visit.time - 1
            for plane, count in enumerate(met.tolist()):
                lanes.put(f"dendrites.count_{plane}", start - 2 * CYCLE, count)
            lanes.put("soma.current", start - CYCLE, int(met @ moment.config.plane_weight))


def _put_sent(lanes: Lanes, wave: Wave, moment: Moment, tick: int) -> None:
    """The flits of the neurons that fire."""
    times = wave.cycles(tick)
    given = wave.at("emitter.flits__valid", times) & wave.at("emitter.flits__ready", times)
    name, wanted = "emitter.flits__payload", list(_flits(moment))
    _put_in_order(lanes, name, wanted, times[given == 1], wave.last(tick))


def _flits(moment: Moment) -> Iterator[int]:
    config = moment.config
    for neuron in np.flatnonzero(outcome(moment).fired).tolist():
        host = FLIT.pack(
            kind=int(Kind.HOST),
            region=int(Region.SPIKE),
            offset=neuron,
            data=moment.tick,
            x0=moment.x,
            y0=moment.y,
        )
        if config.trace:
            yield int(host)
        for word in config.entry[config.sender == neuron].tolist():
            flit = flit_of(word)
            yield int(host) if flit is None else flit


def flit_of(word: int) -> int | None:
    """The SPIKE flit of a fan-out entry; None for one to the host."""
    if FANOUT.get(word, "host"):
        return None
    data = AXON.pack(axon=FANOUT.get(word, "axon"), page=FANOUT.get(word, "page"))
    corners = {name: FANOUT.get(word, name) for name in CORNERS}
    return int(FLIT.pack(kind=int(Kind.SPIKE), data=data, **corners))


def _put_in_order(lanes: Lanes, name: str, wanted: list[int], times: Numbers, end: int) -> None:
    """The n-th value where the RTL has its n-th; those that it has not at the end of the tick."""
    for number, value in enumerate(wanted):
        lanes.put(name, int(times[number]) - 1 if number < len(times) else end, value)


def _put_answers(lanes: Lanes, wave: Wave, golden: GoldenCore, tick: int) -> None:
    """Membranes and counters, where the RTL answers with them; else at the end of the tick."""
    times = wave.cycles(tick)
    asked = times[wave.at("soma.access__read", times) == 1]
    asked = asked[wave.at("soma.access__region", asked) == Region.MEMBRANE]
    words = golden.membranes.get(tick, {})
    for time, offset in zip(asked.tolist(), wave.at("soma.access__offset", asked), strict=True):
        if offset in words:
            lanes.put("soma.access__reply", time + CYCLE - 1, words[offset] & 0xFFFFFFFF)
    asked = times[wave.at("counters.access__read", times) == 1]
    offsets = wave.at("counters.access__offset", asked)
    when = dict(zip(offsets.tolist(), asked.tolist(), strict=True))
    for counter in Counter:
        value = golden.counters.get(tick, {}).get(2 * counter)
        if value is not None:
            time = when[2 * counter] - 1 if 2 * counter in when else wave.last(tick)
            lanes.put(f"counters.{counter.name.lower()}", time, value)


def rtl_lanes(wave: Wave, names: list[str], start: int, end: int) -> Lanes:
    """The same signals of the RTL, from its wave."""
    lanes = Lanes()
    for name in names:
        changes = wave.changes(ELSEWHERE.get(name, name))
        before = [value for time, value in changes if time <= start]
        if changes:
            lanes.put(name, start, before[-1] if before else changes[0][1])
        for time, value in changes:
            if start < time <= end:
                lanes.put(name, time, value)
    return lanes
