"""What a run says, for people and programs: page, summary, tables and pictures, from its record.

Knows neither the experiment nor a chip: it reads `cosim.record`.
"""
