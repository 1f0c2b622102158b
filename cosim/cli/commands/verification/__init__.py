"""Commands that try a chip's RTL against the golden model: `verify`, `fuzz`, `replay`.

Each holds its options and prints its result; the work is `cosim.verify`'s.
"""
