"""The chip's door: flits of many images, in; what is read of the cores, out."""
