"""A case: one thing to try on a chip, and the text file that keeps it.

Knows programs, steps and their formats; runs on any runner, and knows nothing of what is right.
"""
