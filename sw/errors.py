"""The one exception that stands for something the user can put right."""


class InputError(ValueError):
    """Bad input from outside. Its message is one sentence: what, where, and what would be right."""
