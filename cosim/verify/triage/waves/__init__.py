"""Waves: read by the names of hw/, drawn, and put beside the golden model's for viewers."""
