"""NIR: a file of it as layers in floats, node by node."""
