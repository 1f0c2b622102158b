"""Commands that work on finished runs, and simulate nothing."""
