"""Fuzzing: random cases are played on golden model and RTL, and what differs is made small.

Draws cases by a seed, plays many of them in one process, and shrinks the first that fails.
"""
