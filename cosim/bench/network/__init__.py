"""A network larger than the chip: its speed at each level, and how cost grows with what it is."""
