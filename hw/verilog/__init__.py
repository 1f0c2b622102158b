"""The chip as Verilog: one module for the tile, one for the chip that places it.

`export` writes it, through the Yosys that `yosys` names; `lint.vlt` waives what is intended.
Nothing else in `hw` knows of it.
"""
