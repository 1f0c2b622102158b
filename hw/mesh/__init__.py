"""The mesh: routers with a queue of flits at each input and each output.

Flits stay whole; a router reads only where they go. Knows nothing of cores.
"""
