"""Progress on stderr for what takes longer than two seconds: a bar on a terminal, else a line now and then."""

import time
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as RichProgress

_LINE_EVERY_S = 10.0


class Progress:
    """One task at a time; `start` names it, `advance` says how far it is."""

    def __init__(self) -> None:
        self._console = Console(stderr=True)
        columns = (
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            TextColumn("{task.fields[note]}", markup=False),
            TimeRemainingColumn(),
        )
        self._bars = RichProgress(*columns, console=self._console, transient=False)
        self._task = self._bars.add_task("", visible=False, note="", total=None)
        self._title, self._unit = "", ""
        self._spoke_at = 0.0

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._console.is_terminal:
            self._bars.stop()

    def start(self, title: str, total: float | None = None, unit: str = "") -> None:
        """Begin a task of `total` steps or seconds, unknown when None; naming the current one again changes nothing."""
        if title == self._title:
            return
        self._title, self._unit = title, unit
        self._spoke_at = time.monotonic()
        self._bars.reset(self._task, description=title, total=total, visible=True, note="")
        if not self._console.is_terminal:
            self._console.print(title, highlight=False, markup=False)

    def advance(self, completed: float, note: str = "") -> None:
        """How much is done, and a few words beside it."""
        self._bars.update(self._task, completed=completed, note=note)
        now = time.monotonic()
        if not self._console.is_terminal and now - self._spoke_at >= _LINE_EVERY_S:
            self._spoke_at = now
            total = self._bars.tasks[0].total
            share = f"{completed:.0f} of {total:.0f}{self._unit}" if total else f"{completed:.0f}"
            text = f"  {self._title}: {share}{', ' if note else ''}{note}"
            self._console.print(text, highlight=False, markup=False, soft_wrap=True)

    def say(self, text: str) -> None:
        """One line that stays."""
        self._console.print(text, highlight=False, markup=False, soft_wrap=True)
