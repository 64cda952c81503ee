"""What `lonjak plan` shows on a terminal: the answer, tables of sizes, and what they rest on."""

from typing import TYPE_CHECKING

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from analysis.planning.planned import Plan
    from reports.comparison_rows import Cell
    from reports.comparison_rows import Table as Content

_WIDTH = 140  # of what is no terminal; nothing is cut off there
_LABELS_WIDTH, _SIZE_WIDTH = 36, 20  # at most, of the column of labels and of one size


def show(plan: "Plan") -> None:
    """Print a plan; on a narrow terminal in several tables, as a number that is cut off is worse than none."""
    from reports import plan_rows, plan_wording  # noqa: PLC0415 - pandas and matplotlib take a second to load

    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=_WIDTH)
    console.print(plan_wording.answer(plan), style="bold", markup=False)
    names = plan_rows.columns(plan)
    at_once = max(1, (console.width - _LABELS_WIDTH) // _SIZE_WIDTH)
    for first in range(0, len(names), at_once):
        shown = range(first, min(first + at_once, len(names)))
        console.print()
        console.print(_table(plan_rows.overview(plan), [names[column] for column in shown], shown))
    console.print("\nThis rests on:", style="bold")
    for sentence in plan.assumptions:
        console.print(f"- {sentence}", markup=False)


def _table(content: "Content", names: list[str], shown: range) -> Table:
    drawn = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False)
    drawn.add_column(content.caption)
    for name in names:
        drawn.add_column(name, justify="right", no_wrap=True)
    for heading, rows in content.groups:
        drawn.add_row(heading, style="bold")
        for row in rows:
            drawn.add_row(f"  {row.label}", *(_text(row.cells[column]) for column in shown))
    return drawn


def _text(cell: "Cell") -> str:
    return f"{cell.text} ({cell.note})" if cell.note else cell.text
