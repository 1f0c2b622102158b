"""A mesh of routers alone, with its local and host ports open: where the NoC is tested."""

from amaranth import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from hw import layouts
from hw.mesh.links import mesh_links
from hw.mesh.router import Port, Router


class RouterMesh(wiring.Component):
    """`columns` x `rows` routers.

    Port `y * columns + x` of `local_in` and `local_out` is the core's side of router (x, y);
    `host_in` and `host_out` are the west ends of the rows.
    """

    def __init__(self, columns: int, rows: int) -> None:
        self.columns, self.rows = columns, rows
        routers = columns * rows
        super().__init__(
            {
                "local_in": In(layouts.flit_stream()).array(routers),
                "local_out": Out(layouts.flit_stream()).array(routers),
                "host_in": In(layouts.flit_stream()).array(rows),
                "host_out": Out(layouts.flit_stream()).array(rows),
                "idle": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        routers = {}
        idle = 1
        for y in range(self.rows):
            for x in range(self.columns):
                m.submodules[f"router_{x}_{y}"] = router = Router()
                m.d.comb += [router.x.eq(x), router.y.eq(y)]
                index = y * self.columns + x
                connect(m, flipped(self.local_in[index]), router.inputs[Port.LOCAL])
                connect(m, router.outputs[Port.LOCAL], flipped(self.local_out[index]))
                routers[x, y] = router
                idle &= router.idle
        mesh_links(m, routers, self.host_in, self.host_out)
        m.d.comb += self.idle.eq(idle)
        return m
