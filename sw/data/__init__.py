"""Data sets: their files, read without running anything they say, and the images in memory.

Images lie on the 1/255 grid; train and test parts are fixed. Knows no network.
"""
