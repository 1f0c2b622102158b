"""Thirty bugs over every block of hw/, and the rules of `hw.spec` that they break."""

from tests.support.bugs import Bug

SOMA, ROUTER = "core/soma.py", "mesh/router.py"
BUGS = (
    Bug(
        "compare", SOMA, "return v >= threshold + noise", "return v > threshold + noise", ("FIRE",)
    ),
    Bug(
        "no noise",
        SOMA,
        "fires(v, threshold.data, lfsr & self.config.noise_mask)",
        "fires(v, threshold.data, 0)",
        ("FIRE",),
    ),
    Bug(
        "leak added",
        SOMA,
        "Mux(enable, v - (v >> shift), v)",
        "Mux(enable, v + (v >> shift), v)",
        ("SUM",),
    ),
    Bug("no leak", SOMA, "Mux(enable, v - (v >> shift), v)", "v", ("SUM",)),
    Bug("no bias", SOMA, "leaked + bias.data + self.current", "leaked + self.current", ("SUM",)),
    Bug("wraps", SOMA, "m.d.comb += v.eq(saturate(total))", "m.d.comb += v.eq(total)", ("SUM",)),
    Bug(
        "reset to zero",
        SOMA,
        "mode == spec.ResetMode.ZERO,",
        "mode != spec.ResetMode.NONE,",
        ("RESET_MODE",),
    ),
    Bug(
        "reset wraps",
        SOMA,
        "saturate(v - threshold), v)",
        "saturate(v + threshold), v)",
        ("RESET_MODE",),
    ),
    Bug(
        "no floor",
        SOMA,
        "Mux(settled < self.config.floor, self.config.floor, settled)",
        "settled",
        ("FLOOR",),
    ),
    Bug(
        "lfsr taps", SOMA, "Mux(state[0], spec.LFSR_TAPS, 0)", "Mux(state[0], 0xA400, 0)", ("LFSR",)
    ),
    Bug(
        "seed",
        SOMA,
        "m.d.sync += lfsr.eq(self.config.seed)",
        "m.d.sync += lfsr.eq(1)",
        ("RESTART",),
    ),
    Bug(
        "membranes stay",
        SOMA,
        "m.d.sync += written.eq(0)",
        "m.d.sync += written.eq(written)",
        ("RESTART",),
    ),
    Bug(
        "read-back",
        SOMA,
        "with m.If((asked < written) & (asked < self.config.neurons)):",
        "with m.If((asked < written) & (asked < self.config.neurons - 1)):",
        ("READS",),
    ),
    Bug(
        "first tick",
        "core/core.py",
        "(config.first_tick <= tick)",
        "(config.first_tick < tick)",
        ("WINDOW",),
    ),
    Bug(
        "last tick",
        "core/core.py",
        "(tick < config.last_tick)",
        "(tick <= config.last_tick)",
        ("WINDOW",),
    ),
    Bug(
        "page at the door",
        "core/core.py",
        "(axons.spikes.where.page >> page_shift) == 0",
        "(axons.spikes.where.page >> page_shift) < 2",
        ("PAGES",),
    ),
    Bug(
        "sign of weights",
        "core/dendrites.py",
        "weights[plane] * count",
        "weights[plane].as_unsigned() * count",
        ("INPUT",),
    ),
    Bug(
        "a plane less",
        "core/dendrites.py",
        "plane < self.config.planes, self",
        "plane + 1 < self.config.planes, self",
        ("INPUT",),
    ),
    Bug(
        "first line",
        "core/sequencer.py",
        "first.eq(lowest * (config.neurons * config.planes))",
        "first.eq(lowest * config.neurons)",
        ("INPUT",),
    ),
    Bug(
        "a page less", "core/sequencer.py", "remaining.eq(others),", "remaining.eq(0),", ("INPUT",)
    ),
    Bug("axon bit", "core/axon_buffer.py", "read.data | set_bits", "set_bits", ("TICK",)),
    Bug(
        "axons stay",
        "core/axon_buffer.py",
        "write.en.eq(Mux(collects, set_valid, clear_valid))",
        "write.en.eq(Mux(collects, set_valid, 0))",
        ("TICK",),
    ),
    Bug(
        "synapse lane",
        "verilog/nc64c_synapse_lines.v",
        "+:LOADED] & axons[",
        "+:LOADED] | axons[",
        ("INPUT",),
    ),
    Bug(
        "synapse write",
        "verilog/nc64c_synapse_lines.v",
        "sram[write_line][(write_row*AXONS)",
        "sram[write_line][((write_row|1)*AXONS)",
        ("INPUT", "WRITES"),
    ),
    Bug(
        "popcount carry",
        "verilog/nc64c_synapse_lines.v",
        "(sums + (sums >> 4))",
        "(sums + (sums >> 8))",
        ("INPUT",),
    ),
    Bug("fan-out entry", "core/emitter.py", "entry.eq(entry + 1)", "entry.eq(entry)", ("SENDING",)),
    Bug("axon sent", "core/emitter.py", "eq(target.axon)", "eq(target.axon | 1)", ("SENDING",)),
    Bug("no trace", "core/emitter.py", "trace_due.eq(self.trace)", "trace_due.eq(0)", ("SENDING",)),
    Bug(
        "tick stamp",
        "core/emitter.py",
        "flit.data.eq(self.tick)",
        "flit.data.eq(self.tick + 1)",
        ("SENDING",),
    ),
    Bug(
        "lost copy",
        ROUTER,
        "turns[Port.NORTH] = reaches & (flit.y1 > y)",
        "turns[Port.NORTH] = reaches & (flit.y0 > y)",
        ("ROUTING",),
    ),
    Bug(
        "no local copy",
        ROUTER,
        "turns[Port.LOCAL] = reaches & in_rows",
        "turns[Port.LOCAL] = reaches & (flit.y0 == y)",
        ("ROUTING",),
    ),
    Bug(
        "register",
        "core/memory_map/registers.py",
        "m.d.sync += value.eq(access.data)",
        "m.d.sync += value.eq(access.data & ~2)",
        ("WRITES",),
    ),
    Bug(
        "counter",
        "core/memory_map/counters.py",
        "m.d.sync += total.eq(total + events)",
        "m.d.sync += total.eq(total + 1)",
        ("COUNTERS",),
    ),
)

# Of a router under load: what the small program of `bugs.busy_failure` is too quiet for.
LOADED_ROUTER_BUGS = (
    Bug("wrong port", ROUTER, "with m.Switch(chosen):", "with m.Switch(lowest_bit(asked)):", ()),
    Bug(
        "dropped when full",
        ROUTER,
        "m.d.comb += stalled[output].eq(1)",
        "m.d.comb += [stalled[output].eq(1), chosen.eq(lowest_bit(asked))]",
        (),
    ),
)
