"""What stands for something the user can put right, and how its sentence names a cause."""


class InputError(ValueError):
    """Bad input from outside. Its message is one sentence: what, where, and what would be right."""


def reason(error: OSError) -> str:
    """What the system says went wrong, to stand within a sentence."""
    return (error.strerror or str(error)).lower()
