"""What every room of `sw` stands on: errors, checks of values, the device, progress on the screen.

Knows nothing of data, networks or files of ours.
"""
