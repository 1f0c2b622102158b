"""Commands that try a chip's RTL against the golden model without a network: `fuzz`, `replay`.

Each holds its options and prints its result; the work is `cosim.verify`'s.
"""
