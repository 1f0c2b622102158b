"""A failure that explains itself: from two chips that differ to waves, terms, a rule and a replay.

Knows golden model and RTL as runners, and the names of signals in hw/ by their waves alone.
"""
