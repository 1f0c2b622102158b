"""Progress is shown where someone watches, and kept count of everywhere."""

import io

import pytest
from rich.console import Console

from sw.common.progress import Progress


def work(progress: Progress) -> None:
    with progress, progress.stage("RTL", 4, "images") as advance:
        advance(1)
        advance(3)


@pytest.mark.parametrize(("shown", "terminal"), [(True, True), (True, False), (False, True)])
def test_bars_need_a_terminal_and_permission(shown: bool, terminal: bool) -> None:
    console = Console(file=io.StringIO(), force_terminal=terminal, width=100)
    work(Progress(console, shown=shown))
    text = console.file.getvalue()  # type: ignore[attr-defined]
    if shown and terminal:
        assert "RTL" in text
        assert "4/4" in text
        assert "images/s" in text
        assert "left" in text
    else:
        assert text == ""


def test_finished_stages_and_the_one_in_hand_are_named() -> None:
    progress = Progress(Console(file=io.StringIO()), shown=False)
    assert progress.finished() == "nothing"
    with progress.stage("build"):
        pass
    with progress.stage("golden", 3) as advance:
        advance(3)
    with progress.stage("RTL", 8) as advance:
        advance(2)
        advance(3)
        assert progress.finished() == "build, golden; RTL: 5 of 8 images"
    with progress.stage("later", 8):
        assert progress.finished() == "build, golden; RTL: 5 of 8 images"


def test_a_stage_that_was_cut_off_is_not_finished() -> None:
    progress = Progress(Console(file=io.StringIO()), shown=False)
    with pytest.raises(KeyboardInterrupt), progress.stage("build"):
        raise KeyboardInterrupt
    assert progress.finished() == "nothing"
    assert progress.seconds == {}
