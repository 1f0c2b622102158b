"""Other people's programs, given the same work: libraries that train or attack, RANC's simulator.

Each is run as its own documentation does it, and must give the same results where it is a chip.
"""
