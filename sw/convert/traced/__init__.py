"""A model that PyTorch runs, of snnTorch or SpikingJelly, followed through a sample as layers.

Imports neither framework: their neurons are known by the names of their classes.
"""
