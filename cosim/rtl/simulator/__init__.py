"""Simulators built by Verilator, and the cache that keeps them by the content of their sources.

`build` says what a simulator is made of; `verilate` makes it. Knows no program.
"""
