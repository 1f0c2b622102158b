"""Which networks and trials the phenomena need, and which of them are the same."""

import dataclasses

from sw.paper.cells import Training, key
from sw.paper.phenomena.awake import AwakeTraining
from sw.paper.phenomena.grid import grid, trainings
from sw.paper.phenomena.trial import Trial
from sw.paper.presets import PRESETS
from sw.paper.worker import Source, images
from tests.sw.paper.phenomena.conftest import SCALE

FULL = dataclasses.replace(PRESETS["phenomena"], dataset="digits")
DATA = images(Source(SCALE, None))
PLACES = grid(FULL, *DATA)


def test_sizes_of_the_preset() -> None:
    """4 encodings x 4 thresholds x 3 seeds with and without norm, 2 weights, 2 ways of attack."""
    assert len(trainings(PLACES.values())) == 4 * 4 * 3 * 2 == 96
    assert len(PLACES) == 96 * 2 * 2 * 2
    assert len(set(PLACES.values())) == 96 * 2 * 2 + 72 * 2 * 2 == 672
    assert len({key(trial) for trial in PLACES.values()}) == 672


def test_once_and_anew_are_one_trial_at_the_lowest_threshold() -> None:
    for place, trial in PLACES.items():
        other = PLACES[dataclasses.replace(place, learnt="trained anew")]
        assert (trial == other) == (place.theta == 0.4 or place.learnt == "trained anew")
        learnt = 0.4 if place.learnt == "trained once" else place.theta
        assert (trial.theta, trial.target.network.theta_conv) == (place.theta, learnt)


def test_networks_without_norm_start_awake() -> None:
    for place, trial in PLACES.items():
        norm = place.norm == "batch norm"
        assert trial.target.network.norm == norm
        assert type(trial.target) is (Training if norm else AwakeTraining)


def test_the_attack_model_is_another_seed_of_the_same_kind() -> None:
    for place, trial in PLACES.items():
        if place.way == "white-box":
            assert trial.attacker is None
            continue
        model, target = trial.attacker, trial.target
        assert model is not None
        assert (model.network.encoding, target.network.encoding) == ("direct", place.encoding)
        assert dataclasses.replace(model.network, encoding=place.encoding) == target.network
        assert type(model) is type(target)
        assert model.settings.seed == {1: 2, 2: 1, 3: 2}[place.seed]


def test_more_seeds_take_no_trial_away() -> None:
    fewer = grid(dataclasses.replace(FULL, seeds=2), *DATA)
    assert {place: PLACES[place] for place in fewer} == fewer


def test_ways_to_a_gradient() -> None:
    def gradients(trial: Trial) -> set[str | None]:
        return {attack.gradient for attack in trial.attacks}

    for place, trial in PLACES.items():
        exact = place.way == "transfer" or place.encoding == "direct"
        assert gradients(trial) == {"autograd" if exact else "approximated"}
