"""The rules of a tick as `hw.spec` writes them, each one also as hardware could get it wrong."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cosim.golden.cores.lfsr import lfsr_run
from cosim.verify.triage.moments import Moment
from hw.spec import MEMBRANE_BITS, MEMBRANE_MAX, MEMBRANE_MIN, ResetMode

Numbers = NDArray[np.int64]


class Rule(Enum):
    """Where a rule stands in `hw.spec`, and its words there."""

    INPUT = (
        "Neuron: I = sum over pages, planes: PLANE_WEIGHT[p] * popcount(axons[f] & row(n, f, p))"
    )
    SUM = "Neuron: v = saturate(v - (v >> k) + I + bias)"
    FIRE = "Neuron: fired = v >= threshold + (lfsr & NOISE_MASK)"
    RESET_MODE = "Neuron: if fired: v = 0 | saturate(v - threshold) | v"
    FLOOR = "Neuron: v = max(v, FLOOR)"
    WINDOW = "Neuron: updated when FIRST_TICK <= tick < LAST_TICK"
    LFSR = "LFSR: one step per neuron per active tick, XORed with LFSR_TAPS if bit 0 was 1"
    TICK = "Tick: a core consumes the axon spikes delivered before go; two on one axon are one"
    PAGES = "Pages: a SPIKE to a page that the core does not have is dropped at the door"
    RESTART = "RESTART: tick := 0, all membranes := 0, lfsr := SEED, waiting spikes are dropped"
    ROUTING = "Routing: a flit goes to every core of its rectangle, one copy a core"
    SENDING = "TRACE and FANOUT: a neuron that fired sends each of its entries, and a HOST flit"
    WRITES = "Reconfiguration: memories and registers hold what was written to them"
    READS = "READ: each word of the memory map comes back as it is"
    COUNTERS = "Counter: TICKS, SPIKES_IN, SPIKES_OUT and SYNAPTIC_OPS count what they say"


def saturate(v: Numbers) -> Numbers:
    return np.clip(v, MEMBRANE_MIN, MEMBRANE_MAX)


def wrapped(v: Numbers) -> Numbers:
    """Cut to the membrane's bits instead of saturated."""
    half = 1 << (MEMBRANE_BITS - 1)
    return (v + half) % (2 * half) - half


@dataclass(frozen=True)
class Arithmetic:
    """A tick's steps, to be replaced one by one."""

    counts: Callable[[Moment], Numbers] = field(default=lambda m: _counts(m))
    weights: Callable[[Moment], Numbers] = field(default=lambda m: m.config.plane_weight)
    leak: Callable[[Numbers, int | None], Numbers] = field(
        default=lambda v, k: v if k is None else v - (v >> k)
    )
    bias: Callable[[Moment], Numbers] = field(default=lambda m: m.config.bias)
    clip: Callable[[Numbers], Numbers] = saturate
    noise: Callable[[Moment], Numbers] = field(default=lambda m: _noise(m))
    fires: Callable[[Numbers, Numbers, Numbers], NDArray[np.bool_]] = field(
        default=lambda v, threshold, noise: v >= threshold + noise
    )
    reset: Callable[[Numbers, Numbers, ResetMode], Numbers] = field(
        default=lambda v, threshold, mode: _reset(v, threshold, mode)
    )
    floor: Callable[[Numbers, int], Numbers] = field(default=lambda v, low: np.maximum(v, low))
    active: Callable[[Moment], bool] = field(default=lambda m: _active(m))


class Outcome(NamedTuple):
    """What a tick makes of a core, per neuron; `operations` is the count of SYNAPTIC_OPS."""

    current: Numbers
    total: Numbers
    summed: Numbers
    noise: Numbers
    fired: NDArray[np.bool_]
    settled: Numbers
    membrane: Numbers
    operations: int


def outcome(m: Moment, by: Arithmetic | None = None) -> Outcome:
    """The tick that begins with this moment."""
    by = by or Arithmetic()
    config = m.config
    silent = np.zeros(config.neurons, np.int64)
    if not by.active(m):
        kept = m.membrane
        none = silent.astype(np.bool_)
        return Outcome(silent, kept, kept, silent, none, kept, kept, 0)
    counts = by.counts(m)  # [pages, neurons, planes]
    current = (counts * by.weights(m)).sum(axis=(0, 2))
    total = by.leak(m.membrane, config.leak) + current + by.bias(m)
    summed = by.clip(total)
    noise = by.noise(m)
    fired = by.fires(summed, config.threshold, noise)
    settled = np.where(fired, by.reset(summed, config.threshold, config.reset), summed)
    membrane = by.floor(settled, config.floor)
    return Outcome(current, total, summed, noise, fired, settled, membrane, int(counts.sum()))


def _counts(m: Moment) -> Numbers:
    met = m.rows & m.axons[:, None, None, :]
    return np.asarray(met.sum(axis=3, dtype=np.int64), np.int64)


def _noise(m: Moment) -> Numbers:
    states, _ = lfsr_run(m.lfsr, m.config.neurons)
    return np.asarray(states & m.config.noise_mask, np.int64)


def _reset(v: Numbers, threshold: Numbers, mode: ResetMode) -> Numbers:
    if mode is ResetMode.ZERO:
        return np.zeros_like(v)
    return saturate(v - threshold) if mode is ResetMode.SUBTRACT else v


def _active(m: Moment) -> bool:
    return m.config.first_tick <= m.tick < m.config.last_tick


class Variation(NamedTuple):
    """One rule done wrong, in words."""

    rule: Rule
    how: str
    by: Arithmetic


def variations(m: Moment) -> Iterator[Variation]:
    """Ways to get a tick wrong, the likelier ones first."""
    right = Arithmetic()

    def wrong(rule: Rule, how: str, **steps: object) -> Variation:
        return Variation(rule, how, replace(right, **steps))  # type: ignore[arg-type]

    yield wrong(Rule.FIRE, "`>` in the place of `>=`", fires=lambda v, t, n: v > t + n)
    yield wrong(Rule.FIRE, "the threshold compare without noise", fires=lambda v, t, n: v >= t)
    yield wrong(
        Rule.FIRE, "a compare that wraps at 32 bits", fires=lambda v, t, n: v >= wrapped(t + n)
    )
    yield wrong(
        Rule.FIRE, "an unsigned compare", fires=lambda v, t, n: _unsigned(v) >= _unsigned(t) + n
    )
    yield wrong(Rule.FIRE, "the compare turned round", fires=lambda v, t, n: v < t + n)
    yield wrong(Rule.FIRE, "nobody firing", fires=lambda v, t, n: np.zeros(len(v), np.bool_))
    yield wrong(
        Rule.FIRE, "the noise unmasked", noise=lambda m: lfsr_run(m.lfsr, len(m.membrane))[0]
    )
    yield wrong(Rule.SUM, "no leak", leak=lambda v, k: v)
    yield wrong(Rule.SUM, "a leak where LEAK has none", leak=lambda v, k: v - (v >> (k or 0)))
    yield wrong(
        Rule.SUM, "a leak that is added", leak=lambda v, k: v if k is None else v + (v >> k)
    )
    yield wrong(
        Rule.SUM,
        "a leak that rounds towards 0",
        leak=lambda v, k: v if k is None else v - np.sign(v) * (np.abs(v) >> k),
    )
    yield wrong(
        Rule.SUM,
        "a leak whose shift is not arithmetic",
        leak=lambda v, k: v if k is None else v - (_unsigned(v) >> k),
    )
    for by in (1, -1):
        yield wrong(
            Rule.SUM,
            f"a leak shifted by {by:+d} more",
            leak=lambda v, k, by=by: v if k is None else v - (v >> max(k + by, 0)),
        )
    yield wrong(Rule.SUM, "only the leaked part kept", leak=lambda v, k: v if k is None else v >> k)
    yield wrong(Rule.SUM, "no bias", bias=lambda m: 0 * m.config.bias)
    yield wrong(Rule.SUM, "the bias twice", bias=lambda m: 2 * m.config.bias)
    yield wrong(Rule.SUM, "the bias subtracted", bias=lambda m: -m.config.bias)
    yield wrong(Rule.SUM, "a membrane forgotten before", leak=lambda v, k: 0 * v)
    yield wrong(Rule.SUM, "a sum that wraps at 32 bits", clip=wrapped)
    yield wrong(Rule.SUM, "no saturation below", clip=lambda v: np.minimum(v, MEMBRANE_MAX))
    yield from _resets(wrong)
    yield wrong(Rule.FLOOR, "no floor", floor=lambda v, low: v)
    yield wrong(Rule.FLOOR, "a floor of 0", floor=lambda v, low: np.maximum(v, 0))
    yield wrong(Rule.FLOOR, "FLOOR as a ceiling", floor=lambda v, low: np.minimum(v, low))
    yield wrong(Rule.WINDOW, "the tick left out", active=lambda m: False)
    yield wrong(Rule.WINDOW, "a tick that should have been left out", active=lambda m: True)
    yield from _inputs(m, wrong)
    yield wrong(
        Rule.LFSR,
        "an LFSR that does not move",
        noise=lambda m: m.lfsr & m.config.noise_mask + 0 * m.membrane,
    )
    yield wrong(
        Rule.LFSR,
        "an LFSR a step ahead",
        noise=lambda m: lfsr_run(m.lfsr, len(m.membrane) + 1)[0][1:] & m.config.noise_mask,
    )


def _resets(wrong: Callable[..., Variation]) -> Iterator[Variation]:
    for mode, how in (
        (ResetMode.ZERO, "to 0"),
        (ResetMode.SUBTRACT, "by subtraction"),
        (ResetMode.NONE, "left out"),
    ):
        yield wrong(
            Rule.RESET_MODE, f"a reset {how}", reset=lambda v, t, _, mode=mode: _reset(v, t, mode)
        )
    yield wrong(
        Rule.RESET_MODE, "a subtraction that wraps", reset=lambda v, t, mode: wrapped(v - t)
    )
    yield wrong(Rule.RESET_MODE, "the threshold added", reset=lambda v, t, mode: saturate(v + t))


def _inputs(m: Moment, wrong: Callable[..., Variation]) -> Iterator[Variation]:
    yield wrong(Rule.INPUT, "no input current at all", counts=lambda m: 0 * _counts(m))
    yield wrong(
        Rule.INPUT, "weights without a sign", weights=lambda m: m.config.plane_weight & 0xFFFF
    )
    for plane in range(m.config.planes):
        keep = np.arange(m.config.planes) != plane
        yield wrong(
            Rule.INPUT,
            f"plane {plane} left out",
            weights=lambda m, keep=keep: m.config.plane_weight * keep,
        )
    for page in np.flatnonzero(m.axons.any(axis=1)).tolist():
        keep = (np.arange(len(m.axons)) != page)[:, None, None]
        yield wrong(
            Rule.INPUT, f"page {page} left out", counts=lambda m, keep=keep: _counts(m) * keep
        )


def _unsigned(v: Numbers) -> Numbers:
    return v & ((1 << MEMBRANE_BITS) - 1)
