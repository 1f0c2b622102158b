"""What `nc64c attack` does: a file of attacked images, and the network's answers to them."""

from pathlib import Path

from cosim.experiment.images import image_file, image_store, image_worker
from cosim.experiment.images.inputs import Order
from sw.attack.set_names import zero_gradients
from sw.common.progress import Progress
from sw.files import output
from sw.jobs import worker_setup
from sw.jobs.engine import Local
from sw.model import metrics
from sw.train import checkpoint

Accuracies = dict[str, float]  # per cent


def make(order: Order, out: Path, progress: Progress) -> tuple[Accuracies, list[str]]:
    """Attacks a checkpoint's quantised network and saves the images.

    The network's accuracy by set, and what is to be said of them.
    """
    worker_setup.use_one_thread()
    output.check_file(out, order.checkpoint, order.attacker)
    wanted = order.wanted()
    made, _ = image_store.make(wanted, None, Local(1, image_worker.run), progress)
    network = checkpoint.load_bytes(wanted.network).quantised_network
    answers = {
        name: metrics.evaluate(network, one.images).predictions for name, one in made.sets.items()
    }
    how = {"network": network.config.name, "seed": order.seed}
    how["sets"] = {name: wanted.settings(name) for name in wanted.names}
    image_file.write(out, made, how, answers)
    right = {name: metrics.accuracy(found, made.labels) for name, found in answers.items()}
    zero = {name: int(one.zero.sum()) for name, one in made.sets.items()}
    return right, zero_gradients(zero, len(made))
