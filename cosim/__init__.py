"""The co-simulation: network file -> program -> golden model and RTL -> comparison -> report.

Owns programs, stimulus, mapper, golden model, RTL runner, comparison, reports and the command line.
Must not know how a network was trained, nor import any hardware description but `hw.spec`.
"""
