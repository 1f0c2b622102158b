"""One neuron core: 1024 axons, 1024 neurons, and the synapses between them.

`core` connects the blocks; `sequencer` says when each of them works. Knows nothing of the mesh.
"""
