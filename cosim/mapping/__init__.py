"""A network's place on the chip: `resident`, where all of it fits at once, or `streamed`.

Makes programs out of integer networks and, in `ranc`, of another chip's files. Must not know a
simulator or the golden model.
"""
