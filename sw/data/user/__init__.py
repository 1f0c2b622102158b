"""A user's own inputs: arrays, pictures, IDX files and recordings of event cameras, with labels.

`read` opens any of them for what a network takes. Sizes are checked before memory is taken.
"""
