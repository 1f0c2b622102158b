"""A run: the same images, clean and attacked, at four levels of one network, to its record.

`run` begins it, `plan` cuts it into shards, `shard` does one, `collect` puts them together.
"""
