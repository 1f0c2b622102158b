"""Where independent pieces of work run: in this process, in others, or on a Dask cluster.

Knows nothing of what the work is.
"""
