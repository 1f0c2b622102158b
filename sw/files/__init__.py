"""Files, written whole or not at all, and checked before they are read: tensors, finished work.

Owns how something is kept on disk, and where; what is kept, the rooms above decide.
"""
