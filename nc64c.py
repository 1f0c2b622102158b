"""The one name of this project: `nc64c` on the command line, `python -m nc64c`, or `import nc64c`.

The names of its packages, `hw`, `sw` and `cosim`, are short ones that other projects may use too. A
foreign folder of such a name on `PYTHONPATH`, or in the current folder, comes before an installed
package. So this module, whose own name is not likely to be taken, is a file of its own beside the
packages, and importing it ties their names to the folder it lies in, in this process; worker
processes import it again, for it is their parent's main module, and so does a simulator's Python
(`cosim.rtl.simulation`).
"""

import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # what `__getattr__` gives
    from cosim.api import *  # noqa: F403

HERE = Path(__file__).resolve().parent
PACKAGES = ("hw", "sw", "cosim")
CANNOT, INTERRUPTED = 2, 130  # exit codes, as in `cosim.cli.guard`


class OurPackages(MetaPathFinder):
    """Finds `hw`, `sw` and `cosim` beside this file, and leaves all other names to others."""

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        return PathFinder.find_spec(name, [str(HERE)]) if name in PACKAGES else None


sys.meta_path.insert(0, OurPackages())


def __getattr__(name: str) -> Any:
    """The Python API (`cosim.api`), which is imported when it is first used."""
    if not name.startswith("_"):
        from cosim import api

        if name in api.__all__:
            return getattr(api, name)
    raise AttributeError(f"nc64c has no {name}")


def __dir__() -> list[str]:
    from cosim import api

    return sorted([*globals(), *api.__all__])


def main() -> None:
    """The command line; what its imports meet is a sentence too (the guard is one of them)."""
    try:
        from cosim.cli.app import main
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except Exception as error:
        print(
            "Error: the installation is incomplete or damaged, install nc64c again: "
            f"{type(error).__name__}: {error}",
            file=sys.stderr,
        )
        sys.exit(CANNOT)
    main()


if __name__ == "__main__":
    main()
