"""Commands of the algorithm alone: training, attacks, the paper's tables. No chip is simulated."""
