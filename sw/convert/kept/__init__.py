"""An import, in memory and on disk: network, contract, and the floats that it was made of."""
