"""A test bench to take away: it plays a recorded network into the chip, without Python.

Stimulus and expected response are plain text; the golden model made the latter.
"""
