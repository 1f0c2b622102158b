"""How fast the co-simulation is, beside others and beside its limits: `nc64c bench`.

Each module measures one thing and gives plain figures; `document` makes the table of them and says
which targets are met. Nothing here is used by the co-simulation itself.
"""
