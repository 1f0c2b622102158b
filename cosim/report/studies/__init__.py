"""Documents made of several figures of runs: threshold noise, and the paper's Table 5."""
