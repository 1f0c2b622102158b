"""What a network is made of, before it has weights. Knows no PyTorch."""
