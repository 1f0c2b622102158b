"""Signs that a suite's figures are not to be believed, each one a sentence.

Athalye et al., Obfuscated gradients give a false sense of security, ICML 2018; Carlini et al., On
evaluating adversarial robustness, 2019: a hidden gradient shows in how attacks compare.
"""

from collections.abc import Callable, Sequence

from sw.attack.suite.measure import Answers
from sw.attack.suite.members import BLACK_BOX, GRADIENT, ITERATIVE, LARGEST, NOISE, SINGLE
from sw.model.config import NetworkConfig

RANDOM = ("rate",)  # encodings that draw spikes
Rule = Callable[[Answers, int], str | None]


def flags(answers: Answers, strengths: Sequence[int], config: NetworkConfig) -> list[str]:
    """The sentences, those of the whole suite first; none: nothing was found."""
    whole = [_reaches_zero(answers), *_silent(answers), _random(config)]
    rules: tuple[Rule, ...] = (_gradient_is_zero, _black_box_wins, _one_step_wins, _noise_wins)
    each = [rule(answers, eps) for eps in strengths for rule in rules]
    return [sentence for sentence in [*whole, *each] if sentence is not None]


def _reaches_zero(answers: Answers) -> str | None:
    left = answers.accuracy("apgd", LARGEST)
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


def _random(config: NetworkConfig) -> str | None:
    if config.encoding not in RANDOM:
        return None
    return (
        f"encoding {config.encoding} draws spikes, and the attacks saw one draw of them: an attack "
        "that expects over draws may do more"
    )


def _gradient_is_zero(answers: Answers, eps: int) -> str | None:
    shares = {
        name: 100 * float(zero.mean())
        for (name, strength), zero in answers.zero.items()
        if strength == eps and zero.any()
    }
    if not shares:
        return None
    listed = ", ".join(f"{share:.1f} % in {name}" for name, share in shares.items())
    return f"{eps}/255: images whose gradient is zero at every pixel: {listed}"


def _black_box_wins(answers: Answers, eps: int) -> str | None:
    best = min(answers.accuracy(name, eps) for name in GRADIENT if (name, eps) in answers.right)
    found = answers.accuracy(BLACK_BOX, eps)
    if found >= best:
        return None
    return (
        f"{eps}/255: {BLACK_BOX}, which sees answers only, leaves {found:.1f} % right, the best "
        f"gradient attack {best:.1f} %: the gradient leads astray"
    )


def _one_step_wins(answers: Answers, eps: int) -> str | None:
    single = answers.accuracy(SINGLE, eps)
    weaker = [name for name in ITERATIVE if answers.accuracy(name, eps) > single]
    if not weaker:
        return None
    listed = ", ".join(f"{name} {answers.accuracy(name, eps):.1f} %" for name in weaker)
    return f"{eps}/255: many steps leave more right than {SINGLE} ({single:.1f} %): {listed}"


def _noise_wins(answers: Answers, eps: int) -> str | None:
    noise, single = answers.accuracy(NOISE, eps), answers.accuracy(SINGLE, eps)
    if noise >= single:
        return None
    return (
        f"{eps}/255: random noise leaves {noise:.1f} % right, {SINGLE} {single:.1f} %: a step "
        "along the gradient is worse than one anywhere"
    )
