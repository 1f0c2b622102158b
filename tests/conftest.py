"""For all tests: one core each for torch and BLAS, as in `cosim.experiment.run`; and Ctrl-C."""

import signal

import torch
from threadpoolctl import threadpool_limits

torch.set_num_threads(1)
threadpool_limits(1, user_api="blas")

# A shell that runs the tests in the background may have told them, and so all that they start, to
# ignore Ctrl-C; some tests press it.
signal.signal(signal.SIGINT, signal.default_int_handler)
