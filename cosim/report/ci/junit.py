"""JUnit XML, as GitHub, GitLab and Jenkins read it: a test case for each thing that was compared.

Files are attached by lines `[[ATTACHMENT|path]]` of a case's output, the form that Jenkins' plugin
brought up, and that GitLab and cocotb follow.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from sw.files.atomic import atomic_write

# What XML 1.0 cannot hold, as characters or escaped.
FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True)
class Case:
    """One test case.

    Attributes:
        name: what was compared, such as a set of images.
        group: what it belongs to, with dots: readers show it as a class.
        seconds: how long it took.
        failure: the first thing that is wrong, in a sentence; "" where nothing is.
        output: what else there is to say.
        attachments: files or folders to keep; of a folder all files in it.
    """

    name: str
    group: str
    seconds: float = 0.0
    failure: str = ""
    output: str = ""
    attachments: Sequence[Path] = ()


def write(path: Path, suite: str, cases: Sequence[Case]) -> None:
    """Writes the cases of one suite. Raises `InputError` if the file cannot be written."""
    atomic_write(path, document(suite, cases, path.absolute().parent))


def document(suite: str, cases: Sequence[Case], base: Path) -> bytes:
    """The XML. Attachments below `base` go by their path from there, as GitLab wants it."""
    counts = {
        "tests": str(len(cases)),
        "failures": str(sum(bool(case.failure) for case in cases)),
        "errors": "0",
        "skipped": "0",
        "time": f"{sum(case.seconds for case in cases):.3f}",
    }
    root = Element("testsuites", {"name": "nc64c", **counts})
    top = SubElement(root, "testsuite", {"name": suite, **counts})
    for case in cases:
        place = {"name": _text(case.name), "classname": _text(case.group)}
        element = SubElement(top, "testcase", place, time=f"{case.seconds:.3f}")
        if case.failure:
            SubElement(element, "failure", message=_text(case.failure)).text = _text(case.failure)
        lines = [case.output] if case.output else []
        lines += [f"[[ATTACHMENT|{each}]]" for each in _files(case.attachments, base)]
        if lines:
            SubElement(element, "system-out").text = _text("\n".join(lines))
    indent(root)
    return b'<?xml version="1.0" encoding="utf-8"?>\n' + tostring(root) + b"\n"


def _files(attachments: Iterable[Path], base: Path) -> list[str]:
    """All files that are there."""
    found: list[Path] = []
    for path in attachments:
        inside = sorted(each for each in path.rglob("*") if each.is_file())
        found += inside if path.is_dir() else [path] if path.is_file() else []
    whole = [path.absolute() for path in found]
    return [str(each.relative_to(base) if each.is_relative_to(base) else each) for each in whole]


def _text(text: str) -> str:
    return FORBIDDEN.sub("\N{REPLACEMENT CHARACTER}", text)
