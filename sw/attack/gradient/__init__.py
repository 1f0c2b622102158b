"""How the loss changes with the pixels, by the way that an attacker chooses.

`way` says which: through time or through the rate, with which surrogate, by how many draws.
`sight` finds it; `paper` is Eq. 8 to 12, `rate` passes neurons by their rate.
"""
