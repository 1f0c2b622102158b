"""A layer on the chip at a time: passes of its tiles, and the spikes that layers hand on."""
