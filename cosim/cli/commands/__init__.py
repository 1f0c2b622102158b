"""The commands of `nc64c`: their options, what they call, and what they print."""
