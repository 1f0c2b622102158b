"""The test bench around the chip: `testbench` in Python under cocotb, the rest in Verilog and C++.

It plays steps and records what comes out. No expectation is in it.
"""
