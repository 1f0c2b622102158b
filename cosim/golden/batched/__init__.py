"""The golden model in PyTorch: hundreds of images at once, on a CPU or a GPU, bit for bit.

What is fed in and what configures a core is the numpy model's; what a tick does is its own. It must
not know the RTL, the mapper or the trained network; nothing else of the golden model knows it.
"""
