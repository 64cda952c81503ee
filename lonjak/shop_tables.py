"""What `lonjak shop` shows people, for a terminal of 80 columns; `labelled` and `columns` for other tables too."""

import textwrap
from collections.abc import Iterable, Sequence
from datetime import timedelta

from reference_shop.defects import Defect
from reference_shop.protections import PROTECTIONS
from reference_shop.stack.document import ProcessRecord, StackDocument

WIDTH = 80
_PROCESS_HEADINGS = ("role", "pid", "port", "cpus", "restarts", "ready")
_DEFECT_HEADINGS = ("defect", "pillar", "found by the audit as")
_LABEL_WIDTH = 20


def stack_table(stack: StackDocument, uptime_s: float) -> str:
    """A shop or an edge: its processes, one line each, and then what it was built from."""
    uptime = timedelta(seconds=int(uptime_s))
    what = f"{stack.products:,} products" if stack.kind == "shop" else f"before {stack.origin}"
    title = f"{stack.url}  {stack.state}, edge {stack.edge}, {what}, up {uptime}"
    processes = columns([_PROCESS_HEADINGS, *map(_process_row, stack.processes)])
    choices = (*_edge_choices(stack), *(_shop_choices(stack) if stack.kind == "shop" else ()))
    return "\n".join((title, *processes, "", *(labelled(label, names) for label, names in choices)))


def _edge_choices(stack: StackDocument) -> tuple[tuple[str, Sequence[str]], ...]:
    options = stack.edge_options
    chosen = {
        "TLS": options.tls,
        f"WAF level {options.waf}": options.waf,
        f"{options.rate_limit_per_s} requests per s and address": options.rate_limit_per_s,
        f"purge by {options.purge}": options.purge != "none",
        options.config or "": options.config,
    }
    link = [] if stack.origin_link is None else [f"{stack.origin_link.delay_ms:g} ms, {stack.origin_link.control}"]
    return (
        ("points of presence", stack.urls),
        ("edge options", [said for said, on in chosen.items() if on]),
        ("origin link", link),
    )


def _shop_choices(stack: StackDocument) -> tuple[tuple[str, Sequence[str]], ...]:
    return (
        ("protections on", stack.protections),
        ("protections off", [name for name in PROTECTIONS if name not in stack.protections]),
        ("throttles", stack.throttles),
        ("defects", stack.defects),
        ("past orders", [f"{stack.past_orders:,}"]),
        ("changes per s", [f"{stack.changes_per_s:g}"]),
    )


def defects_table(defects: Iterable[Defect]) -> str:
    """Each defect in a line, and below it what shoppers see of it."""
    listed = list(defects)
    rows = [_DEFECT_HEADINGS, *((each.name, each.pillar, each.invariant or "-") for each in listed)]
    heading, *lines = columns(rows)
    symptoms = (textwrap.fill(each.symptom, WIDTH, initial_indent="  ", subsequent_indent="  ") for each in listed)
    return "\n".join((heading, *(f"{line}\n{symptom}" for line, symptom in zip(lines, symptoms, strict=True))))


def _process_row(process: ProcessRecord) -> tuple[str, ...]:
    return (
        process.role,
        str(process.pid),
        str(process.port or ""),
        ",".join(map(str, process.cpu_set)) or "any",
        str(process.restart_count),
        "yes" if process.ready else "no",
    )


def labelled(label: str, names: Sequence[str]) -> str:
    """A label and a list behind it, in as many lines as that takes."""
    indent = " " * _LABEL_WIDTH
    text = ", ".join(names) or "none"
    return textwrap.fill(
        text, WIDTH, initial_indent=label.ljust(_LABEL_WIDTH), subsequent_indent=indent, break_on_hyphens=False
    )


def columns(rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows of cells as lines, each column as wide as its widest cell."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
