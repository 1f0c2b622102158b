"""The images of a run: drawn and attacked for it in blocks, or those of a file.

Made once, kept with a checksum, and read by all levels on all machines.
"""
