"""One layer on cores: its tiles, its weights as one-bit planes, its neurons, its places and routes.

Both mappings are made of these. Knows no other layer; only `relays` says when each is active.
"""
