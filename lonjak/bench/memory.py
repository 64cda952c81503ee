"""Section `memory`: what a shopper costs who has asked once and now thinks, with a connection open.

Each contender is started twice, with few shoppers and with many: what the program needs by itself is in both.
"""

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from lonjak.bench.contenders import LONJAK, PEERS, Aim, contenders, k6_command, lonjak_command, vanilla_command
from lonjak.bench.processes import pause, started
from lonjak.bench.section import Section, Settings
from lonjak.bench.server import small_page
from lonjak.progress import Progress

FEW = 100
_PER_S = 200.0  # arrivals; all at once would be another memory
_READY_S = 180.0
_SETTLE_S = 1.5
_HEADINGS = ("", "bytes a shopper", "÷ Lonjak", "whole process")


@dataclass(frozen=True, slots=True)
class Footprint:
    """What `shopper_count` more shoppers need; `resident_bytes` is the process with all of them."""

    contender: str
    shopper_count: int
    bytes_per_shopper: float
    resident_bytes: int
    lonjak_ratio: float


def memory(settings: Settings, progress: Progress) -> Section:
    """Bytes per waiting shopper."""
    found: list[Footprint] = []
    for name, command in _commands().items():
        progress.start(f"memory: {name} with {settings.shopper_count} shoppers who wait")
        few = _resident_bytes(name, command, FEW, settings)
        many = _resident_bytes(name, command, FEW + settings.shopper_count, settings)
        each = (many - few) / settings.shopper_count
        ratio = each / found[0].bytes_per_shopper if found else 1.0
        found.append(Footprint(name, settings.shopper_count, each, many, ratio))
    sentence = (
        f"{settings.shopper_count:,} shoppers who each hold a connection open and think: "
        f"resident memory with them less that with {FEW}, by shopper."
    )
    return Section("memory", sentence, _HEADINGS, tuple(map(_line, found)), tuple(found))


def _commands() -> dict[str, Callable[[Aim], tuple[str, ...]]]:
    commands: dict[str, Callable[[Aim], tuple[str, ...]]] = {
        LONJAK: _lonjak,
        "FastHttpUser": lambda aim: vanilla_command(aim, "FastWaiting", _PER_S),
        "HttpUser": lambda aim: vanilla_command(aim, "HttpWaiting", _PER_S),
    }
    if any(contender.name == "k6" for contender in contenders() if contender in PEERS):
        commands["k6"] = lambda aim: k6_command(aim, "sleep(3600);")
    return commands


def _lonjak(aim: Aim) -> tuple[str, ...]:
    load: dict[str, object] = {
        "arrivals": "constant",
        "rate_per_s": _PER_S,
        "duration": max(1.0, aim.connections / _PER_S),
        "drain": "1h",
        "session_cap": aim.connections,
    }
    if aim.connections < _PER_S:
        load["rate_per_s"] = float(aim.connections)
    return lonjak_command(aim, "Waiting", load)


def _resident_bytes(name: str, command: Callable[[Aim], tuple[str, ...]], count: int, settings: Settings) -> int:
    with tempfile.TemporaryDirectory(prefix="lonjak-bench-") as text:
        folder, cpus = Path(text), (settings.contender_cpu,)
        with small_page(folder, (settings.server_cpu,), count) as server:
            aim = Aim(server.url, count, round(_READY_S + 60), folder)
            with started(name, command(aim), cpus=cpus, folder=folder) as running:
                server.wait_for(count, _READY_S, running)
                pause(_SETTLE_S, server.program, running)
                if (held := server.read().connection_count) < count:
                    running.give_up(f"holds {held} connections, but {count} shoppers wait")
                return running.resident_bytes


def _line(footprint: Footprint) -> tuple[str, ...]:
    return (
        footprint.contender,
        f"{footprint.bytes_per_shopper:,.0f}",
        f"{footprint.lonjak_ratio:.2f}",
        f"{footprint.resident_bytes / 1e6:,.0f} MB",
    )
