"""Small programs of RANC's for tests: their files, random ones, and RANC's rules in plain loops."""

import random
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path

BITS = 9
Packet = tuple[int, int, int, int]  # x, y, axon, delay


@dataclass
class Neuron:
    """A neuron of RANC's; what is not said is 0."""

    axons: list[int] = field(default_factory=list)  # that it is connected to
    weights: list[int] = field(default_factory=lambda: [1, -1, 2, -2])
    potential: int = 0
    reset: int = 0
    leak: int = 0
    threshold: int = 1
    negative: int = 0
    mode: int = 0
    dx: int = 0
    dy: int = 0
    axon: int = 0
    delay: int = 0


@dataclass
class Core:
    types: list[int]
    neurons: list[Neuron]


@dataclass
class Ranc:
    """A program, what is sent to it before each tick, and what its output core gets."""

    columns: int
    rows: int
    output: int
    cores: dict[int, Core]
    sent: list[list[Packet]]
    expected: list[list[int]] = field(default_factory=list)

    @property
    def grid(self) -> str:
        return f"{self.columns}x{self.rows}"

    @property
    def output_place(self) -> str:
        return f"{self.output % self.columns},{self.output // self.columns}"


def write(folder: Path, program: Ranc) -> Path:
    """All files of a program."""
    folder.mkdir(parents=True, exist_ok=True)
    axons = len(next(iter(program.cores.values())).types)
    axon_bits = (axons - 1).bit_length()
    for index, core in program.cores.items():
        lines = [neuron_word(neuron, axons, axon_bits) for neuron in core.neurons]
        (folder / f"csram_{index:03}.mem").write_text("\n".join(lines) + "\n")
        (folder / f"tc_{index:03}.mem").write_text("".join(f"{t:02b}\n" for t in core.types))
    packets = [
        f"{word(x, BITS)}{word(y, BITS)}{word(axon, axon_bits)}{word(delay, 4)}"
        for group in program.sent
        for x, y, axon, delay in group
    ]
    out = [word(axon, axon_bits) for group in program.expected for axon in group]
    (folder / "tb_input.txt").write_text("\n".join(packets) + "\n")
    (folder / "tb_correct.txt").write_text("\n".join(out) + "\n")
    for name, groups in (("inputs", program.sent), ("outputs", program.expected)):
        lines = [str(len(group)) for group in groups]
        (folder / f"tb_num_{name}.txt").write_text("\n".join(lines) + "\n")
    return folder


def word(value: int, bits: int) -> str:
    return f"{value & ((1 << bits) - 1):0{bits}b}"


def neuron_word(neuron: Neuron, axons: int, axon_bits: int) -> str:
    connected = "".join("1" if a in neuron.axons else "0" for a in reversed(range(axons)))
    numbers = [neuron.potential, neuron.reset, *neuron.weights, neuron.leak]
    numbers += [neuron.threshold, neuron.negative]
    fields = "".join(word(value, BITS) for value in numbers) + word(neuron.mode, 1)
    where = word(neuron.dx, BITS) + word(neuron.dy, BITS) + word(neuron.axon, axon_bits)
    return connected + fields + where + word(neuron.delay, 4)


class Wraps(Exception):
    """A potential has left RANC's 9 bits."""


def answers(program: Ranc, ticks: int) -> list[list[int]]:
    """What the output core gets in each tick, by RANC's rules, one packet after the other."""
    waiting: dict[tuple[int, int], set[int]] = {}  # core, tick: axons
    for number, group in enumerate(program.sent):
        for x, y, axon, delay in group:
            arriving = (x + y * program.columns, number + delay)
            waiting.setdefault(arriving, set()).add(axon)
    potentials = {
        index: [n.potential for n in core.neurons] for index, core in program.cores.items()
    }
    found: list[list[int]] = []
    for tick in range(ticks):
        out = []
        for index, core in program.cores.items():
            spiking = waiting.pop((index, tick), set())
            for number, neuron in enumerate(core.neurons):
                v = potentials[index][number]
                for axon in neuron.axons:
                    if axon in spiking:
                        v += neuron.weights[core.types[axon]]
                v += neuron.leak
                if not -256 <= v <= 255:
                    raise Wraps
                if v >= neuron.threshold:
                    x, y = index % program.columns + neuron.dx, index // program.columns + neuron.dy
                    target = x + y * program.columns
                    if target == program.output:
                        out.append(neuron.axon)
                    else:
                        waiting.setdefault((target, tick + 1), set()).add(neuron.axon)
                    v = v - neuron.threshold if neuron.mode else neuron.reset
                elif v < neuron.negative:
                    v = v - neuron.negative if neuron.mode else -neuron.reset
                potentials[index][number] = v
        found.append(sorted(out))
    return found


def first_tick(program: Ranc) -> int:
    """The first tick whose output may come from what was sent: the shortest way, less 1."""
    start = {x + y * program.columns for group in program.sent for x, y, _, _ in group}
    depth = dict.fromkeys(start, 0)
    queue = deque(start)
    while queue:
        index = queue.popleft()
        for neuron in program.cores[index].neurons:
            target = index + neuron.dx + neuron.dy * program.columns
            if target == program.output:
                return depth[index]
            if target not in depth:
                depth[target] = depth[index] + 1
                queue.append(target)
    return 0


def random_program(seed: int, axons: int = 16, neurons: int = 6, ticks: int = 6) -> Ranc:
    """A random one on 2 x 2 cores, without an expectation: `expect` adds it."""
    draw = random.Random(seed)
    output = draw.randrange(4)
    program = Ranc(2, 2, output, {}, [])
    wide = draw.random() < 0.3  # weights of which only sums of planes can be made
    for index in sorted({0, 1, 2, 3} - {output}):
        types = [draw.randrange(4) for _ in range(axons)]
        mode = draw.randrange(2)
        palette = draw.sample(range(-9, 10), 8) if wide else draw.sample(range(-3, 4), 3)
        core = Core(types, [])
        for _ in range(neurons):
            target = draw.randrange(4)
            core.neurons.append(
                Neuron(
                    axons=[a for a in range(axons) if draw.random() < 0.5],
                    weights=[draw.choice(palette) for _ in range(4)],
                    leak=draw.choice([0, 0, 1, -1, 2]),
                    threshold=draw.randint(-1, 6),
                    mode=mode,
                    dx=target % 2 - index % 2,
                    dy=target // 2 - index // 2,
                    axon=draw.randrange(axons),
                )
            )
        program.cores[index] = core
    places = [index for index in range(4) if index != output]
    for _ in range(ticks):
        group = []
        for _ in range(draw.randint(1, 12)):
            index = draw.choice(places)
            group.append((index % 2, index // 2, draw.randrange(axons), draw.choice([0, 0, 0, 3])))
        program.sent.append(group)
    return program


def chain(**neuron: int) -> Ranc:
    """Core 0, whose neuron 1 sends on to core 1, whose neuron 0 sends to the output core 2."""
    first = Core([0, 1, 2, 3] * 2, [Neuron(), Neuron(axons=[0, 1, 2], dx=1, axon=5)])
    second = Core([0] * 8, [Neuron(axons=[5], dx=1, axon=3)])
    for name, value in neuron.items():
        setattr(first.neurons[1], name, value)
    return Ranc(3, 1, 2, {0: first, 1: second}, [[(0, 0, 0, 0)], [(0, 0, 2, 0)], [(0, 0, 1, 0)]])


def expect(program: Ranc) -> Ranc:
    """The same program with what its output core gets, a group for each group sent."""
    first = first_tick(program)
    program.expected = answers(program, first + len(program.sent))[first:]
    return program
