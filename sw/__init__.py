"""The algorithm: data, spiking network, training, quantisation, attacks, and the integer network.

Owns everything up to `netfile.IntegerNetwork`, the one door out of here. Knows nothing of the
chip: it never imports `hw` or `cosim`.
"""
