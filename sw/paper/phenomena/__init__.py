"""The paper's claims, each with an interval and a verdict: shown, refuted, or what it depends on.

A grid of networks (batch norm or none) and of thresholds (learnt, or only changed at test) is
measured cell by cell, as the tables are; what is concluded from the cells is code, not prose.
"""
