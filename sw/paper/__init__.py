"""The paper's tables and figures, each by its name: networks are trained, attacked and measured.

Owns presets, cells (one finished measurement each, a file of its own) and what is made of them.
Knows the algorithm only, as all of `sw`; how a user asks for it is the command line's business.
"""
