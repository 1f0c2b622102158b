"""The RTL as a chip: built by Verilator, driven by cocotb, one simulator process for many stimuli.

`simulation` starts and watches the processes; `tb` lies within them. It expects nothing: what the
responses should be, others know.
"""
