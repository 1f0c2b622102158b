"""Costs that were kept, and whether today's are worse."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from sw.common.errors import InputError
from sw.common.machine import processor, versions
from sw.common.typed import Misfit, plain, typed
from sw.files.atomic import atomic_write
from sw.files.bounded import read_at_most

KEPT = Path(__file__).resolve().parents[3] / "docs" / "results" / "benchmarks" / "check.json"
MOST = 1.6  # times the kept cost; docs/ci.md says why
MAX_BYTES = 1 << 20


@dataclass(frozen=True)
class Kept:
    """Costs by name, in ticks of the yardstick, and where they were measured."""

    costs: dict[str, float]
    cpu: str
    versions: dict[str, str]
    format: Literal["nc64c-bench-check"] = "nc64c-bench-check"
    version: Literal[1] = 1


@dataclass(frozen=True)
class Change:
    """A cost then and now."""

    name: str
    then: float
    now: float

    @property
    def times(self) -> float:
        return self.now / self.then

    @property
    def worse(self) -> bool:
        return self.times > MOST


def read(path: Path) -> Kept:
    """What was kept. Raises `InputError`."""
    where = f"kept figures {path}"
    if not path.is_file():
        raise InputError(f"{where}: there are none; make some with `nc64c bench check --out FILE`")
    try:
        found = typed(json.loads(read_at_most(path, MAX_BYTES, "kept figures")), Kept)
    except (ValueError, RecursionError) as error:
        what = str(error) if isinstance(error, Misfit) else "it is no JSON"
        raise InputError(f"{where} cannot be used: {what}; make them anew with --out") from error
    if not found.costs or min(found.costs.values()) <= 0:
        raise InputError(
            f"{where} cannot be used: costs must be above 0; make them anew with --out"
        )
    return found


def write(path: Path, costs: dict[str, float]) -> None:
    """Keeps costs. Raises `InputError`."""
    kept = plain(Kept(costs, processor(), versions()))
    atomic_write(path, (json.dumps(kept, indent=1) + "\n").encode())


def changes(then: Kept, now: dict[str, float]) -> list[Change]:
    """Each cost then and now. Raises `InputError` where other ones were kept."""
    if then.costs.keys() != now.keys():
        raise InputError(
            f"the kept figures are {', '.join(sorted(then.costs))}, must be "
            f"{', '.join(sorted(now))}: make them anew with --out"
        )
    return [Change(name, then.costs[name], cost) for name, cost in now.items()]
