"""For all tests: one core each for torch and numpy's BLAS, as in `cosim.tasks`."""

import torch
from threadpoolctl import threadpool_limits

torch.set_num_threads(1)
threadpool_limits(1, user_api="blas")
