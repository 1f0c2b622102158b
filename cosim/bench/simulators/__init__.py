"""What one dendrite row, one cycle and one simulator cost: ours, others', and C++ written by hand.

All get the same work (`measure.workload`), and must give the golden model's membranes.
"""
