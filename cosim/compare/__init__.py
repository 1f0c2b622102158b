"""Exact equality of two chips' responses, and where they first part.

Knows neither of the chips: it reads responses.
"""
