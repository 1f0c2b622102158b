"""What can go wrong in a simulation."""


class SimulationError(RuntimeError):
    """A simulator process ended without its responses: it crashed, was killed, found no memory."""


class Mismatch(SimulationError):
    """Results that must be equal differ, or the RTL hangs where the golden model does not."""
