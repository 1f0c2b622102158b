"""The conformance kit: what any RTL of the chip must do, rule by rule of `hw.spec`.

A check is a few cases that reach the ends of one rule. It knows the rules and the flits, no
micro-architecture: whatever has the chip's pins can be checked.
"""
