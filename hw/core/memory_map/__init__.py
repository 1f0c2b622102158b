"""What flits read and write in a core: its registers, its counters, and bursts of its memories.

Addresses and formats stand in `hw.spec`. Knows nothing of how neurons compute.
"""
