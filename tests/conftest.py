"""For all tests: the same random choices every time, and one core each for torch."""

import hypothesis
import torch

# Derandomised: a failure comes back with the same `pytest path::test`, without any seed to note.
hypothesis.settings.register_profile("nc64c", deadline=None, derandomize=True, print_blob=True)
hypothesis.settings.load_profile("nc64c")
torch.set_num_threads(1)
