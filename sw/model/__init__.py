"""The spiking network: its configuration, encodings, LIF neurons, K-bit weights, and its figures.

`network` puts them together. Knows neither how it is trained nor how it is attacked.
"""
