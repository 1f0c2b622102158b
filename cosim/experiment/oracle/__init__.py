"""The chip on an attacker's desk: attacks by queries whose victim is the golden model of a chip.

A chip may have threshold noise and stuck synapses. Images that were made in software, and on the
chip, go through golden model and RTL of that chip. Knows no report.
"""
