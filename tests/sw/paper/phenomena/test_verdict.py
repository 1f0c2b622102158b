"""Verdicts on made-up trials: what is there is found, and what is noise is not."""

from sw.paper.phenomena.grid import Place
from sw.paper.phenomena.verdicts.claims import Claim, claims
from sw.paper.phenomena.verdicts.verdict import Verdict, conditions, judge
from sw.paper.phenomena.verdicts.view import Trials
from tests.sw.paper.phenomena.conftest import SCALE, Made, made_up

NOISE = 0.5


def claim(name: str) -> Claim:
    return next(each for each in claims(SCALE) if each.name == name)


def verdict(name: str, trials: Trials) -> Verdict:
    return judge(claim(name), SCALE, trials)


def direct(more: float) -> Made:
    return 10 + more, 1.0


def test_shown() -> None:
    found = verdict(
        "direct encoding", made_up(lambda p: direct(5 * (p.encoding == "direct")), NOISE)
    )
    assert found.short == "shown"
    assert found.sentence == "shown (shown under 8, refuted under 0 of 8 conditions)"
    assert [answer.label for answer in found.answers] == ["shown"] * 8
    assert found.depends == ()
    (estimate,) = found.whole.estimates
    assert estimate is not None
    assert estimate.low < 5 < estimate.high


def test_refuted() -> None:
    found = verdict(
        "direct encoding", made_up(lambda p: direct(-5 * (p.encoding == "direct")), NOISE)
    )
    assert found.short == "refuted"


def test_nothing_there_is_not_decided() -> None:
    found = verdict("direct encoding", made_up(lambda p: direct(0), NOISE))
    assert found.short == "not decided"
    assert found.depends == ()


def test_depends_on_the_norm() -> None:
    def rule(place: Place) -> Made:
        return direct(5 * (place.encoding == "direct") * (1 if place.norm == "no norm" else -1))

    found = verdict("direct encoding", made_up(rule, NOISE))
    assert found.depends == ("norm",)
    assert found.short == "depends on batch norm"
    assert found.sentence == "depends on batch norm: shown for no norm; refuted for batch norm"


def test_depends_on_training_and_attack() -> None:
    """Shown where both are so; elsewhere there is nothing."""

    def rule(place: Place) -> Made:
        both = place.learnt == "trained once" and place.way == "transfer"
        return direct(8 * both * (place.encoding == "direct"))

    found = verdict("direct encoding", made_up(rule, NOISE))
    assert found.depends == ("learnt", "way")
    assert found.sentence == (
        "depends on training and attack: shown for trained once, transfer; not decided for"
        " trained anew, white-box / trained anew, transfer / trained once, white-box"
    )
    labels = {group.where: group.label for group in found.groups}
    assert labels["trained once", "transfer"] == "shown"
    assert set(labels.values()) == {"shown", "not decided"}


def test_just_short_of_decided_is_no_dependence() -> None:
    """A little more noise where there is batch norm: undecided there, but no other effect."""
    shifts = {1: -4.0, 2: 0.0, 3: 4.0}

    def rule(place: Place) -> Made:
        shift = shifts[place.seed] if place.norm == "batch norm" else 0.0
        return direct((5 + shift) * (place.encoding == "direct"))

    found = verdict("direct encoding", made_up(rule, 0.1))
    labels = {answer.where[0]: answer.label for answer in found.answers}
    assert labels == {"batch norm": "not decided", "no norm": "shown"}
    assert found.depends == ()
    assert found.short == found.whole.label


def test_all_parts_must_hold() -> None:
    """The ranking: the threshold does more than quantisation, but encoding does most."""

    def rule(place: Place) -> Made:
        active = (2.0 if place.theta == 0.4 else 1.0) * (0.1 if place.encoding == "rate" else 1)
        return 10, active * (0.9 if place.weights == "quantised" else 1)

    found = verdict("ranking", made_up(rule))
    assert found.short == "refuted"
    first, second = found.whole.estimates
    assert first is not None
    assert second is not None
    assert round(first.value, 6) == 50 - 10
    assert round(second.value, 6) == 10 - 90


def test_a_bound_that_is_not_0() -> None:
    """The paper's activity falls by three quarters; half of that is asked for."""
    for fall, wanted in ((0.5, "shown"), (0.3, "refuted")):
        trials = made_up(lambda p, fall=fall: (10, 1 - fall * (p.theta == 0.8)))  # type: ignore[misc]
        found = verdict("activity", trials)
        assert found.short == wanted
        (estimate,) = found.whole.estimates
        assert estimate is not None
        assert round(estimate.value, 6) == 100 * fall


def test_failed_trainings() -> None:
    assert verdict("direct encoding", Trials({})).short == "not measured"


def test_a_claim_about_clean_images_has_no_attack() -> None:
    assert len(conditions(claim("ranking"), SCALE)) == 4
    assert len(conditions(claim("direct encoding"), SCALE)) == 8
    assert {condition.way for condition in conditions(claim("activity"), SCALE)} == {"white-box"}
