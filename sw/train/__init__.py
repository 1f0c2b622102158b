"""Training by surrogate gradients, in float and then with quantised weights; its checkpoint.

`loop` trains, `training_state` lets it go on after a kill. It attacks images only
to learn from them (`adversarial`); the attacks that measure are above it.
"""
