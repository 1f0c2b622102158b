"""What other programs read of a run: `summary.json`, its schema, JUnit, a check by a kept run.

Everything is made of the record of a run, like the page.
"""
