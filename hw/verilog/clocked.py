"""Registers that say themselves when they change.

Yosys writes a register as a combinational process for its next value and a clocked one that copies
it. Here both become one clocked process that assigns to the register: a reader sees what changes
it, and a simulator neither keeps the next value nor copies it where nothing changes.
"""

import re
from collections.abc import Iterator

NAME = r"(?:\\\S+ |\w+)"  # a name that starts with a backslash ends with a space
NEXT = r"\\\$\d+ "  # of a next value
TRIGGER = r"    if \(\\\$auto\$verilog_backend\S+ \) begin end\n"
PROCESS = re.compile(rf"^  always @\* begin\n{TRIGGER}(?P<body>(?:    .*\n)+)  end\n", re.MULTILINE)
ASSIGNMENT = re.compile(rf"^(?P<in> +)(?P<name>{NAME}) ?(?P<part>\[[^]]*\] )?= ", re.MULTILINE)
COPY = re.compile(
    rf"^  always @\(posedge (?P<clock>\w+)\)\n    (?P<register>{NAME}) ?<= (?P<next>{NEXT});\n",
    re.MULTILINE,
)
TRIGGERED = re.compile(r"^  (?:reg|initial) \\\$auto\$verilog_backend\S+ .*;\n", re.MULTILINE)


def clocked(text: str) -> str:
    """The same Verilog with each next value that only its register reads written into it."""
    return "".join(_module(module) for module in re.split(r"(?<=^endmodule\n)", text, flags=re.M))


def _module(text: str) -> str:
    processes = dict(_next_values(text))
    for copy in COPY.finditer(text):
        process = processes.get(copy["next"])
        # It is declared, the process assigns it, and the register reads it.
        if process and text.count(copy["next"]) == process.group().count(copy["next"]) + 2:
            text = text.replace(process.group(), "").replace(copy.group(), _register(copy, process))
            text = re.sub(rf"^  reg .*{re.escape(copy['next'])};\n", "", text, flags=re.M)
    return text if "always @*" in text else TRIGGERED.sub("", text)


def _next_values(text: str) -> Iterator[tuple[str, re.Match[str]]]:
    """Name and process of each value that has a process of its own, and is not read there."""
    for process in PROCESS.finditer(text):
        assigned = [assignment["name"] for assignment in ASSIGNMENT.finditer(process["body"])]
        if len(set(assigned)) == 1 and process["body"].count(assigned[0]) == len(assigned):
            yield assigned[0], process


def _register(copy: re.Match[str], process: re.Match[str]) -> str:
    """The clocked process in which the register changes as its next value said."""
    register, value = copy["register"].strip(), re.escape(copy["next"])
    keeps = rf"^    {value} ?= {re.escape(register)} ?;\n"
    body = re.sub(keeps, "", process["body"], flags=re.MULTILINE)
    body = ASSIGNMENT.sub(lambda found: f"{found['in']}{register} {found['part'] or ''}<= ", body)
    return f"  always @(posedge {copy['clock']}) begin\n{body}  end\n"
