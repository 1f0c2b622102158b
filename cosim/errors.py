"""What can go wrong in a simulation."""


class SimulationError(RuntimeError):
    """A simulator process ended without its responses: the RTL hangs, or the process was killed."""
