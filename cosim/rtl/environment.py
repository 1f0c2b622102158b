"""What programs that are started from here see of the user's environment.

The variables that steer the tools of a build or of a run are the user's for other work, and would
change or break ours: a test filter of cocotb, flags for make, another home of Python. They are left
out. The rest stays: search paths of programs, libraries and headers, which installations in unusual
places need, and LD_PRELOAD, with which this program itself was started.
"""

import os
import signal
from collections.abc import Mapping
from contextlib import suppress

import cocotb_tools.config

# Of cocotb, Verilator and its makefile, GNU make, Icarus Verilog, perl, and the shell.
PREFIXES = (
    *("COCOTB_", "GPI_", "PYGPI_", "VERILATOR_", "VERILATED_", "SYSTEMC", "IVERILOG_"),
    *("MAKE", "VM_", "VK_", "CFG_", "OPT_", "USER_", "PERL5", "PYTHON"),
)
NAMES = (
    *("MFLAGS", "GNUMAKEFLAGS", "CC", "CXX", "CPP", "LD", "LINK", "AR", "ARFLAGS", "RANLIB", "RM"),
    *("CFLAGS", "CPPFLAGS", "CXXFLAGS", "LDFLAGS", "LIBS", "LDLIBS", "OPT", "OBJCACHE", "VPATH"),
    *("PERL", "TARGET_ARCH", "SC_LIBS", "BASH_ENV", "ENV", "CDPATH"),
    *("TOPLEVEL", "TOPLEVEL_LANG", "MODULE", "TESTCASE", "RANDOM_SEED"),
)
COCOTB_LIBRARIES = cocotb_tools.config.libs_dir.absolute()
KEPT = ("PYTHONDONTWRITEBYTECODE", "PYTHONPYCACHEPREFIX")  # where Python may write


def clean(**more: str) -> dict[str, str]:
    """The environment for a program of a build or a run; `more` is added to it."""
    return _steerless(os.environ) | more


def of_simulator(**more: str) -> dict[str, str]:
    """The same for a built simulator, which finds cocotb's libraries by it."""
    libraries = str(COCOTB_LIBRARIES)
    others = os.environ.get("LD_LIBRARY_PATH")
    path = f"{libraries}{os.pathsep}{others}" if others else libraries
    return clean(LD_LIBRARY_PATH=path, **more)


def _steerless(variables: Mapping[str, str]) -> dict[str, str]:
    return {
        name: value
        for name, value in variables.items()
        if name in KEPT or not (name in NAMES or name.startswith(PREFIXES))
    }


def ending(code: int) -> str:
    """How a process ended, in words, by what `subprocess` says of it."""
    if code >= 0:
        return f"with exit code {code}"
    why = ", perhaps for want of memory" if -code == signal.SIGKILL else ""
    with suppress(ValueError):
        return f"killed by {signal.Signals(-code).name}{why}"
    return f"killed by signal {-code}"
