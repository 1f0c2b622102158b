"""What the kit leaves: a case file for each check that failed, and test cases for JUnit."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from cosim.report.ci import junit
from cosim.verify.case import case_file
from cosim.verify.kit.kit import Verdict
from cosim.verify.triage.folder import FOLDER


def save(folder: Path, failed: Iterable[Verdict], what: str) -> None:
    """Writes the case of each failed check into an existing folder; `what` names the RTL."""
    for verdict in failed:
        if verdict.case is not None:
            lines = (
                f"nc64c verify, {what}: {verdict.check.name}",
                verdict.check.rule,
                verdict.reason,
            )
            case_file.save(folder / verdict.file, replace(verdict.case, comment="\n".join(lines)))


def junit_cases(found: Iterable[Verdict], folder: Path) -> list[junit.Case]:
    """A test case for each check; `folder` has the case files and the triage of the first one."""
    found = list(found)
    first = next((verdict for verdict in found if verdict.case is not None), None)
    return [
        junit.Case(
            name=verdict.check.name,
            group="nc64c.verify",
            seconds=verdict.seconds,
            failure="" if verdict.passed else f"{verdict.check.rule}: {verdict.reason}",
            output=f"{verdict.cases} cases, {verdict.answers} answers",
            attachments=[
                *([] if verdict.case is None else [folder / verdict.file]),
                *([folder / FOLDER] if verdict is first else []),
            ],
        )
        for verdict in found
    ]
