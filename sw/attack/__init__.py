"""Attacks: images changed a little so that a network errs, and what that costs it.

`attacks` knows them by name; what they draw belongs to an image (`draws`). Knows no chip.
"""
