"""The test bench around the chip: `testbench` in Python under cocotb, the rest in Verilog and C++.

It plays phases and records what comes out. No expectation is in it.
"""
