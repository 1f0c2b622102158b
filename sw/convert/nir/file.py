"""NIR files: read, checked in size first, subgraphs laid flat."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sw.common.errors import InputError, reason

if TYPE_CHECKING:
    import nir

MAX_BYTES = 1 << 30  # of all arrays together


def read(path: Path) -> "nir.NIRGraph":
    """The graph of a file, subgraphs laid flat.

    Raises `InputError` if it is missing, damaged, larger than 1 GiB unpacked, no NIR file, or has
    an array that is not of finite numbers.
    """
    try:
        import h5py
        import nir
    except ImportError as error:
        raise InputError("NIR files need pip install 'nc64c[nir]'") from error
    try:
        with path.open("rb") as file:
            file.read(1)
    except OSError as error:
        raise InputError(f"cannot read NIR file {path}: {reason(error)}") from error
    try:
        with h5py.File(path) as file:
            sizes: list[int] = []
            file.visititems(lambda _, item: sizes.append(getattr(item, "nbytes", 0)))
    except Exception as error:
        raise InputError(f"{path} is not a NIR file, or is truncated: {_line(error)}") from error
    if sum(sizes) > MAX_BYTES:
        raise InputError(
            f"NIR file {path}: its arrays have {sum(sizes)} bytes, at most {MAX_BYTES}"
        )
    try:
        graph = nir.read(path, type_check=False)  # its check knows no groups
    except Exception as error:  # whatever its reader makes of a file that is not right
        raise InputError(f"NIR file {path} is damaged: {_line(error)}") from error
    return _checked(path, _flat(path, graph))


def _flat(path: Path, graph: Any) -> Any:
    """Subgraphs' nodes as nodes of the graph, named OUTER.INNER; their inputs and outputs go."""
    import nir

    nodes: dict[str, Any] = {}
    edges: list[tuple[str, str]] = []
    enter: dict[str, str] = {}
    leave: dict[str, str] = {}
    for name, node in graph.nodes.items():
        if not isinstance(node, nir.NIRGraph):
            nodes[name] = node
            continue
        inner = _flat(path, node)
        for kind, ends in ((nir.Input, enter), (nir.Output, leave)):
            found = [each for each, part in inner.nodes.items() if isinstance(part, kind)]
            if len(found) != 1:
                raise InputError(f"NIR file {path}: subgraph {name} must have one input and output")
            ends[name] = f"{name}.{found[0]}"
        for each, part in inner.nodes.items():
            keeps_shape = isinstance(part, nir.Input | nir.Output)
            nodes[f"{name}.{each}"] = _through(part) if keeps_shape else part
        edges += [(f"{name}.{a}", f"{name}.{b}") for a, b in inner.edges]
    edges += [(leave.get(a, a), enter.get(b, b)) for a, b in graph.edges]
    return nir.NIRGraph(nodes=nodes, edges=edges, type_check=False)


def _through(part: Any) -> Any:
    """A scale of 1 in the place of a subgraph's input or output."""
    import nir

    [shape] = part.input_type.values()
    return nir.Scale(scale=np.ones(tuple(int(size) for size in shape)))


def _checked(path: Path, graph: Any) -> Any:
    for name, node in graph.nodes.items():
        for field, value in vars(node).items():
            if isinstance(value, np.ndarray) and field not in ("input_type", "output_type"):
                if value.dtype.kind not in "fiu":
                    raise InputError(
                        f"NIR file {path}: node {name}: {field} is {value.dtype}, must be numbers"
                    )
                if not np.all(np.isfinite(value)):
                    raise InputError(f"NIR file {path}: node {name}: {field} has NaN or infinity")
    for edge in graph.edges:
        for name in edge:
            if name not in graph.nodes:
                raise InputError(f"NIR file {path}: an edge names {name}, which is no node")
    return graph


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__
