"""The golden model: the chip at tick level in numpy, bit for bit, by the rules of `hw.spec`.

It has its own arithmetic. Must not know the RTL, the mapper or the trained network.
"""
