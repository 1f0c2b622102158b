"""The cores: what they hold, what of it a batch of images changes, and what a tick does to them."""
