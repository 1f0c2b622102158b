"""Which rule was broken: from what differs, the tick worked out again, and the wave."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from cosim.verify.triage.moments import Moment
from cosim.verify.triage.probe import BEFORE, Difference, Probed
from cosim.verify.triage.rules import Outcome, Rule, Variation, outcome, variations
from cosim.verify.triage.stages import first_stage
from cosim.verify.triage.waves.wave import Wave
from hw.spec import REGISTERS, Counter, Region, Register

COUNTER_OF = {2 * counter: counter for counter in Counter}


@dataclass(frozen=True)
class Explanation:
    """What was found.

    Attributes:
        rule: that is broken; None: it could not be told.
        at: the first thing that differs.
        register: the first signal of the RTL in whose value the chips part, by its name in hw/.
        time: when, in the wave; None: it is not known.
        how: the paragraph.
        since: the tick in which the register is first wrong; None: that of `at`. No READ shows an
            LFSR, so it may be wrong before anything else is.
    """

    rule: Rule | None
    at: Difference
    register: str
    time: int | None
    how: str
    since: int | None = None

    @property
    def tick(self) -> int:
        """The tick in which the register is first wrong."""
        return self.at.tick if self.since is None else self.since


@dataclass(frozen=True, eq=False)
class Evidence:
    """What there is to go by.

    `sent_right` says whether the core that feeds the failing one sent what it had to, `dropped`
    whether spikes are on their way to pages that the failing one does not have.
    """

    probed: Probed
    moment: Moment | None
    wave: Wave | None
    sent_right: bool | None = None
    dropped: bool = False


def focus(differences: Sequence[Difference]) -> Difference:
    """The first difference: the earliest tick, and there what is nearest to a cause."""
    first = [each for each in differences if each.tick == differences[0].tick]

    def rank(each: Difference) -> tuple[int, int, int, int]:
        return (_kind(each, first), each.y, each.x, each.offset)

    return min(first, key=rank)


def _kind(each: Difference, beside: Sequence[Difference]) -> int:
    """Settings, then membranes, spikes and what was counted in the tick; arrivals come last."""
    if each.region in (Region.REGISTER, Region.NEURON, Region.FANOUT, Region.SYNAPSE):
        return 0
    if each.region == Region.MEMBRANE:
        return 1
    if each.region == Region.SPIKE:
        return 2
    return 4 if _counter(each) == Counter.SPIKES_IN else 3


def _counter(each: Difference) -> Counter | None:
    return COUNTER_OF.get(each.offset) if each.region == Region.COUNTER else None


def explain(differences: Sequence[Difference], evidence: Evidence) -> Explanation:
    """What the first difference says; `differences` must not be empty."""
    at = focus(differences)
    same = [each for each in differences if each.tick == at.tick]
    here = [each for each in same if (each.x, each.y) == (at.x, at.y)]
    counted = {_counter(each) for each in here}
    if at.tick == BEFORE:
        return _before(at, here)
    tick_wrong = at.region == Region.MEMBRANE or (
        at.region == Region.SPIKE and Counter.SPIKES_OUT in counted
    )
    if tick_wrong and evidence.moment is not None:
        return _tick(at, evidence, evidence.moment)
    if at.region == Region.SPIKE:
        return _plain(
            Rule.SENDING,
            at,
            "emitter.flits__payload",
            f"The membranes are right, and so is the number of neurons that fired, but of the"
            f" spike of neuron {at.offset} {at.expected or 'no'} HOST flit should have come and"
            f" {at.got or 'none'} came: the fault is in what a neuron that fired sends, or on its"
            " way to the host.",
        )
    if _counter(at) == Counter.SPIKES_IN:
        return _arrivals(at, differences, evidence)
    return _counters(at)


def _plain(rule: Rule | None, at: Difference, register: str, how: str) -> Explanation:
    words = "No rule of hw/spec.py could be named." if rule is None else f"Broken: {rule.value}."
    return Explanation(rule, at, register, None, f"{how} {words}")


def _before(at: Difference, here: Sequence[Difference]) -> Explanation:
    fresh = [each for each in here if each.region == Region.REGISTER and _as_reset(each)]
    if len(fresh) > 1 and len(fresh) == sum(each.region == Region.REGISTER for each in here):
        how = (
            f"Before the first tick {len(fresh)} registers of core ({at.x}, {at.y}) are as after"
            " reset: the WRITEs that were sent to it have not come."
        )
        return _plain(Rule.ROUTING, at, _memory(at), how)
    if at.region == Region.MEMBRANE:
        how = f"Before the first tick membrane {at.offset} is {at.got}, and must be {at.expected}."
        return _plain(Rule.RESTART, at, f"soma.membranes[{at.offset}]", how)
    if at.region == Region.COUNTER:
        return _counters(at)
    name = at.region.name
    if at.region == Region.REGISTER and at.offset in set(Register):
        name = f"REGISTER {Register(at.offset).name}"
    how = (
        f"Before the first tick {name} at offset {at.offset} of core ({at.x}, {at.y}) reads as"
        f" {at.got}, and {at.expected} was written: it was stored or read wrongly."
    )
    return _plain(Rule.WRITES, at, _memory(at), how)


def _as_reset(each: Difference) -> bool:
    form = REGISTERS.get(each.offset)
    return form is not None and each.got == form.reset & 0xFFFFFFFF


def _memory(at: Difference) -> str:
    if at.region == Region.REGISTER and at.offset in set(Register):
        return f"registers.{Register(at.offset).name.lower()}"
    return {Region.FANOUT: "emitter.table", Region.SYNAPSE: "synapses.sram"}.get(
        at.region, ("soma.thresholds", "soma.biases", "soma.fanouts", "soma")[at.offset % 4]
    )


def _counters(at: Difference) -> Explanation:
    counter = _counter(at)
    name = "a counter" if counter is None else counter.name
    how = (
        f"After tick {at.tick} {name} of core ({at.x}, {at.y}) is {at.got} and must be"
        f" {at.expected}; nothing that it counts differs in that tick."
    )
    return _plain(Rule.COUNTERS, at, f"counters.{name.lower()}", how)


def _arrivals(at: Difference, all_: Sequence[Difference], evidence: Evidence) -> Explanation:
    """More or fewer spikes came to a core."""
    later = [
        each
        for each in all_
        if each.tick > at.tick
        and (each.x, each.y) == (at.x, at.y)
        and (each.region == Region.MEMBRANE or _counter(each) == Counter.SYNAPTIC_OPS)
    ]
    more = (at.got or 0) > (at.expected or 0)
    how = (
        f"By the end of tick {at.tick} {at.got} spikes have come to core ({at.x}, {at.y}), and"
        f" {at.expected} should have."
    )
    register = "counters.spikes_in"
    if not later and evidence.sent_right is None:
        return _plain(Rule.COUNTERS, at, register, f"{how} None of them made any difference.")
    if more and evidence.dropped:
        how += " Those too many are for pages that the core does not have."
        return _plain(Rule.PAGES, at, register, how)
    if evidence.sent_right is False:
        how += " The core that sends them has not sent what its fan-out says."
        return _plain(Rule.SENDING, at, register, how)
    how += f" {'Copies that nobody should get' if more else 'Copies that it should get'}"
    how += " came." if more else " are missing: they got lost on their way."
    return _plain(Rule.ROUTING, at, register, how)


def _tick(at: Difference, evidence: Evidence, moment: Moment) -> Explanation:
    """The core began the tick as the golden model did, and ended it otherwise."""
    right = outcome(moment)
    found = [v for v in variations(moment) if _explains(outcome(moment, v.by), at, evidence)]
    stage = None
    if evidence.wave is not None:
        stage = first_stage(evidence.wave, at, moment, right)
    if moment.tick == 0 and at.tick > 0 and _explains(_kept(at, evidence, moment), at, evidence):
        old = f"In its first tick after a RESTART core ({at.x}, {at.y}) goes on from old membranes."
        return _plain(Rule.RESTART, at, f"soma.membranes[{at.offset}]", old)
    rule = stage.rule if stage is not None else found[0].rule if found else None
    fitting = [v for v in found if v.rule is rule] or found
    if stage is not None and stage.loose and fitting:
        rule = fitting[0].rule
    how = [
        f"Core ({at.x}, {at.y}) begins tick {at.tick} as the golden model does, and ends it with"
        f" {_got(at)}."
    ]
    if stage is not None:
        how.append(stage.how)
    if fitting:
        how.append(_alike(fitting, moment))
    elif stage is None:
        how.append("None of the single mistakes that were tried gives what the RTL has.")
    how.append(
        "No rule of hw/spec.py could be named." if rule is None else f"Broken: {rule.value}."
    )
    register = stage.register if stage is not None else f"soma.membranes[{at.offset}]"
    return Explanation(rule, at, register, None if stage is None else stage.time, " ".join(how))


def _kept(at: Difference, evidence: Evidence, moment: Moment) -> Outcome:
    """The tick as it were, had RESTART left the membranes as they were."""
    probed = evidence.probed
    words = probed.words(probed.rtl, at.x, at.y, Region.MEMBRANE).get(at.tick - 1, {})
    membrane = np.array([words.get(n, 0) for n in range(len(moment.membrane))], np.int64)
    return outcome(replace(moment, membrane=membrane))


def _got(at: Difference) -> str:
    if at.region == Region.SPIKE:
        return (
            f"{at.got or 'no'} spike of neuron {at.offset} in the place of {at.expected or 'none'}"
        )
    return f"membrane {at.offset} at {at.got} in the place of {at.expected}"


def _alike(found: Sequence[Variation], moment: Moment) -> str:
    rules = [v for v in found if v.rule is found[0].rule]
    names = " or ".join(v.how for v in rules[:3])
    count = moment.config.neurons
    whose = f"all {count} neurons of the core have" if count > 1 else "the core's one neuron has"
    return f"What {whose} become is what {names} gives."


def _explains(made: Outcome, at: Difference, evidence: Evidence) -> bool:
    """Whether a tick done so gives what the RTL has: membranes, spikes and counts of the core."""
    probed = evidence.probed
    words = probed.words(probed.rtl, at.x, at.y, Region.MEMBRANE).get(at.tick, {})
    if [words.get(n) for n in range(len(made.membrane))] != made.membrane.tolist():
        return False
    counters = probed.words(probed.rtl, at.x, at.y, Region.COUNTER)
    now, before = counters.get(at.tick, {}), counters.get(at.tick - 1, {})
    for counter, count in (
        (Counter.SPIKES_OUT, int(np.count_nonzero(made.fired))),
        (Counter.SYNAPTIC_OPS, made.operations),
    ):
        if 2 * counter in now and now[2 * counter] - before.get(2 * counter, 0) != count:
            return False
    return True
