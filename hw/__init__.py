"""The NC64C in Amaranth: spec, neuron core, synapse array, mesh router, chip, Verilog.

Owns every width, memory map and packet format (`hw.spec`) and the hardware made from them.
Must not know the trained network (`sw`) or how the chip is verified (`cosim`): it imports neither.
"""
