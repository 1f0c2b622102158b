"""How it is measured: clocks that take turns, memory of processes, and the work given."""
