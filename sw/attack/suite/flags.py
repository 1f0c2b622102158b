"""Signs that a suite's figures are not to be believed, each one a sentence.

Athalye et al., Obfuscated gradients give a false sense of security, ICML 2018; Carlini et al., On
evaluating adversarial robustness, 2019: a hidden gradient shows in how attacks compare.
"""

from collections.abc import Callable, Mapping, Sequence

from sw.attack.suite.measure import Answers
from sw.attack.suite.members import BLACK_BOX, LARGEST, NOISE, SINGLE, STRONGEST, Member
from sw.common.intervals import wilson
from sw.model.config.network import NetworkConfig

RANDOM = ("rate",)  # encodings that draw spikes
ADAPTIVE = ("assg",)  # surrogates that follow the images on their way
Members = Mapping[str, Member]
Rule = Callable[[Answers, Members, int], str | None]


def flags(
    answers: Answers, members: Members, strengths: Sequence[int], config: NetworkConfig
) -> list[str]:
    """The sentences, those of the whole suite first; none: nothing was found."""
    whole = [
        _reaches_zero(answers),
        *_silent(answers),
        _faded(answers),
        _random(members, config),
        _fixed(members),
    ]
    rules: tuple[Rule, ...] = (
        _gradient_is_zero,
        _black_box_wins,
        _one_step_wins,
        _noise_wins,
        _not_converged,
    )
    each = [rule(answers, members, eps) for eps in strengths for rule in rules]
    return [sentence for sentence in [*whole, *each] if sentence is not None]


def _reaches_zero(answers: Answers) -> str | None:
    left = answers.accuracy(STRONGEST, LARGEST)
    if not left:
        return None
    return (
        f"at strength {LARGEST} any image may become any other, and {left:.1f} % are still right: "
        "the attack does not find its way"
    )


def _silent(answers: Answers) -> list[str]:
    return [
        f"layer {name} never fires on the clean images: no gradient and no spike passes it"
        for name, count in answers.spikes.items()
        if count == 0
    ]


def _faded(answers: Answers) -> str | None:
    share = 100 / len(answers.clean)
    listed = ", ".join(
        f"{share * count:.1f} % at {name}" for name, count in answers.faded.items() if count
    )
    return f"clean images whose gradient vanishes before a layer: {listed}" if listed else None


def _random(members: Members, config: NetworkConfig) -> str | None:
    expecting = any(member.way is not None and member.way.draws for member in members.values())
    if config.encoding not in RANDOM or expecting:
        return None
    return (
        f"encoding {config.encoding} draws spikes, and the attacks saw one draw of them: an attack "
        "that expects over draws may do more (--draws)"
    )


def _fixed(members: Members) -> str | None:
    ways = [member.way for member in members.values() if member.follows_gradient]
    if not ways or any(way is not None and way.surrogate in ADAPTIVE for way in ways):
        return None
    return (
        "no attack takes an adaptive surrogate, and along a fixed one a network can look more "
        f"robust than it is: add sapgd, or --surrogate {' or '.join(ADAPTIVE)}"
    )


def _gradient_is_zero(answers: Answers, members: Members, eps: int) -> str | None:
    shares = {
        name: 100 * float(answers.zero[name, eps].mean())
        for name in members
        if answers.zero[name, eps].any()
    }
    if not shares:
        return None
    listed = ", ".join(f"{share:.1f} % in {name}" for name, share in shares.items())
    return f"{eps}/255: images whose gradient is zero at every pixel: {listed}"


def _black_box_wins(answers: Answers, members: Members, eps: int) -> str | None:
    following = [name for name, member in members.items() if member.follows_gradient]
    blind = [
        name for name, member in members.items() if name == BLACK_BOX or member.source is not None
    ]
    if not following or not blind:
        return None
    best = min(answers.accuracy(name, eps) for name in following)
    found = {name: answers.accuracy(name, eps) for name in blind}
    name = min(found, key=lambda each: found[each])
    if found[name] >= best:
        return None
    sees = "answers only" if name == BLACK_BOX else "another network only"
    return (
        f"{eps}/255: {name}, which sees {sees}, leaves {found[name]:.1f} % right, the best "
        f"gradient attack {best:.1f} %: the gradient leads astray"
    )


def _one_step_wins(answers: Answers, members: Members, eps: int) -> str | None:
    if SINGLE not in members:
        return None
    single = answers.accuracy(SINGLE, eps)
    weaker = [
        name
        for name, member in members.items()
        if member.iterative and answers.accuracy(name, eps) > single
    ]
    if not weaker:
        return None
    listed = ", ".join(f"{name} {answers.accuracy(name, eps):.1f} %" for name in weaker)
    return f"{eps}/255: many steps leave more right than {SINGLE} ({single:.1f} %): {listed}"


def _noise_wins(answers: Answers, members: Members, eps: int) -> str | None:
    if not {SINGLE, NOISE} <= set(members):
        return None
    noise, single = answers.accuracy(NOISE, eps), answers.accuracy(SINGLE, eps)
    if noise >= single:
        return None
    return (
        f"{eps}/255: random noise leaves {noise:.1f} % right, {SINGLE} {single:.1f} %: a step "
        "along the gradient is worse than one anywhere"
    )


def _not_converged(answers: Answers, members: Members, eps: int) -> str | None:
    """Of each attack of one start: half as many looks at the network against all of them.

    Not of one that leaves nothing right: more steps cannot gain more.
    """
    count, moving = len(answers.clean), []
    for name, member in members.items():
        left = answers.left.get((name, eps), [])
        if not member.iterative or member.attack.restarts > 1 or len(left) < 3:
            continue
        half, end = left[len(left) // 2], left[-1]
        if end and end / count < wilson(half, count)[0]:
            moving.append(f"{name} {100 * half / count:.1f} to {100 * end / count:.1f} %")
    if not moving:
        return None
    return (
        f"{eps}/255: the second half of the steps still gains more than an interval of 95 %: "
        f"{', '.join(moving)}; more steps may gain more"
    )
