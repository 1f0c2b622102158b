"""The links of the mesh: which port of a node leads to which neighbour."""

from typing import Any

from amaranth import Module
from amaranth.lib.wiring import connect, flipped

from hw.mesh.router import Port

OPPOSITE = {
    Port.WEST: Port.EAST,
    Port.EAST: Port.WEST,
    Port.SOUTH: Port.NORTH,
    Port.NORTH: Port.SOUTH,
}
STEPS = {Port.WEST: (-1, 0), Port.EAST: (1, 0), Port.SOUTH: (0, -1), Port.NORTH: (0, 1)}


def mesh_links(m: Module, nodes: dict[tuple[int, int], Any], host_in: Any, host_out: Any) -> None:
    """Connect each node's `inputs` and `outputs` (by `Port`) to its neighbours' and the west ends.

    `nodes` are by (x, y); `host_in` and `host_out` by row, as ports of the component around `m`.
    """
    for (x, y), node in nodes.items():
        for side, (dx, dy) in STEPS.items():
            neighbour = nodes.get((x + dx, y + dy))
            if neighbour is not None:
                connect(m, node.outputs[side], neighbour.inputs[OPPOSITE[side]])
            elif side == Port.WEST:
                connect(m, flipped(host_in[y]), node.inputs[side])
                connect(m, node.outputs[side], flipped(host_out[y]))
            else:
                # Over the edge: a flit with an impossible rectangle leaves the chip here.
                m.d.comb += node.outputs[side].ready.eq(1)
