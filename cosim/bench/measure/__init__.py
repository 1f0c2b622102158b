"""How it is measured: clocks that take turns, memory of processes, threads, and the work given."""
