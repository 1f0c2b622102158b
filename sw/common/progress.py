"""Progress of long work: bars with rate and time left, and what was finished when it is cut off."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.progress import Progress as Bars
from rich.text import Text

Advance = Callable[[int], None]


class Progress:
    """Stages of a run, one bar each; without bars they are counted and timed all the same.

    Args:
        console: where the bars go; they need a terminal.
        shown: whether there are bars at all.
    """

    def __init__(self, console: Console, *, shown: bool) -> None:
        self._console = console
        self._bars = Bars(
            SpinnerColumn(finished_text="[green]✓"),
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            _Rate(),
            TimeElapsedColumn(),
            TextColumn("[dim]left"),
            TimeRemainingColumn(),
            console=console,
            disable=not (shown and console.is_terminal),
        )
        self._stages: list[tuple[str, str, int, int | None]] = []  # name, unit, done, total
        self.seconds: dict[str, float] = {}  # of each stage that ended

    def __enter__(self) -> "Progress":
        self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bars.stop()

    @contextmanager
    def stage(self, name: str, total: int | None = None, unit: str = "images") -> Iterator[Advance]:
        """A stage with `total` units of work (None: nobody knows); yields what counts them."""
        task = self._bars.add_task(name, total=total, unit=unit)
        number, start = len(self._stages), time.monotonic()
        self._stages.append((name, unit, 0, total))

        def advance(units: int) -> None:
            self._bars.advance(task, units)
            self._stages[number] = (name, unit, self._stages[number][2] + units, total)

        yield advance
        self.seconds[name] = time.monotonic() - start
        if total is None:
            self._bars.update(task, total=1, completed=1)
            self._stages[number] = (name, unit, 1, 1)

    def say(self, sentence: str) -> None:
        """A sentence on the console, above the bars."""
        self._console.print(sentence, style="yellow", markup=False, soft_wrap=True)

    def note(self, line: str) -> None:
        """A line above the bars, where there are bars."""
        if not self._bars.disable:
            self._bars.console.print(line, markup=False, soft_wrap=True)

    def finished(self) -> str:
        """What is done so far, in words."""
        whole = [name for name, _, done, total in self._stages if done == total]
        parts = [
            f"{name}: {done} of {total} {unit}"
            for name, unit, done, total in self._stages
            if total is not None and 0 < done < total
        ]
        return "; ".join([", ".join(whole), *parts] if whole else parts) or "nothing"


class _Rate(ProgressColumn):
    """Units per second, or seconds per unit where they are slow."""

    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        if task.total is None or not speed or task.total == 1:
            return Text("")
        return Text(f"{speed:.1f} {task.fields['unit']}/s", style="cyan")
