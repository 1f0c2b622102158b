"""The tutorial does what it says: all its cells run, its assertions hold."""

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

pytestmark = pytest.mark.rtl

ROOT = Path(__file__).parents[2]
NOTEBOOK = ROOT / "docs" / "tutorial.ipynb"


def test_the_tutorial_runs() -> None:
    notebook = nbformat.read(NOTEBOOK, as_version=4)  # type: ignore[no-untyped-call]
    for cell in notebook.cells:
        assert not cell.get("outputs"), "the tutorial is kept without outputs"
    client = NotebookClient(notebook, timeout=1800, resources={"metadata": {"path": str(ROOT)}})
    client.execute()
    printed = "".join(
        output.get("text", "")
        for cell in notebook.cells
        if cell.cell_type == "code"
        for output in cell.outputs
    )
    assert "equal: True" in printed
    assert "first: image 1, tick 0, core (0, 0)" in printed
