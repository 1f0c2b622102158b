"""The co-simulation: network file -> program -> golden model and RTL -> comparison -> report.

Owns programs, stimulus, mapper, golden model, RTL runner, comparison, reports and the command line.
`api` is what users may import. Of the hardware its formats are known (`hw.spec`), and its Verilog
where it is built.
"""
