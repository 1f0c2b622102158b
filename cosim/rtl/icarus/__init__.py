"""The same Verilog in Icarus Verilog, a second simulator with four states a signal.

Needs `iverilog` on the path. Knows nothing of Verilator.
"""
