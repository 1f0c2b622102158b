"""From finished trials to verdicts: figures of a sample, their intervals, claims, and judgement."""
