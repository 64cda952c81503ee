"""The bench's outcome, for people and for programs."""

import json
import platform
from collections.abc import Sequence
from dataclasses import asdict
from importlib.metadata import version

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from lonjak.bench.section import Section, Settings

SCHEMA_VERSION = 1
_WIDTH = 140  # of what is no terminal; nothing is cut off there
_SHARED = "Server and contender share one processor here: rates hold for both together, and only CPU figures compare."


def show(section: Section, settings: Settings) -> None:
    """Print a section's table and its sentence."""
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=_WIDTH)
    console.print(f"\n{section.title}", style="bold")
    if section.skipped:
        console.print(f"skipped: {section.skipped}")
        return
    console.print(table(section))
    console.print(section.sentence, soft_wrap=True)
    if not settings.disjoint:
        console.print(_SHARED, soft_wrap=True)


def table(section: Section) -> Table:
    """The section's lines under its headings, figures to the right."""
    drawn = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for number, heading in enumerate(section.headings):
        drawn.add_column(heading, justify="right" if number else "left", no_wrap=number == 0)
    for line in section.lines:
        drawn.add_row(*line)
    return drawn


def as_json(sections: Sequence[Section], settings: Settings) -> str:
    """One document of everything; units are in the names."""
    document = {
        "schema_version": SCHEMA_VERSION,
        "machine": {
            "python": platform.python_version(),
            "platform": platform.platform(),
            "locust": version("locust"),
            "lonjak": version("lonjak"),
        },
        "settings": asdict(settings) | {"disjoint": settings.disjoint},
        "sections": {
            section.title: {
                "skipped": section.skipped or None,
                "sentence": section.sentence,
                "rows": [asdict(row) for row in section.rows],
                "recordings": [asdict(recording) for recording in section.recordings],
            }
            for section in sections
        },
    }
    return json.dumps(document, indent=2)
