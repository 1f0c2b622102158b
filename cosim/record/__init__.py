"""`run.json`: what a run leaves behind, and the contract between experiment and report.

Knows neither of the two.
"""
