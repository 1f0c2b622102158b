"""Random programs by a seed: cores, traffic, hosts that reconfigure; and a failed seed's waves.

Everything is drawn so that it meets the registers' extremes often, and that a chip must take it.
"""
