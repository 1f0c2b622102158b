"""Networks of others as integer networks: one of theirs in, ours out, and what was changed.

Knows NIR (`nir`) and models that PyTorch runs (`traced`), and no chip: what a chip lacks is refused
by the mapper.
"""
