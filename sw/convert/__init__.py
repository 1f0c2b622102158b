"""Networks of others as integer networks: a file of theirs in, ours out, and what was changed.

Knows NIR (`nir_file`, `nir_graph`), and no chip: what a chip lacks is refused by the mapper.
"""
