"""control.jsonl: lines that others append to steer a running load. The engine polls; each line is obeyed once."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from loadgen.records import Json


@dataclass(frozen=True, slots=True)
class ControlLine:
    """One wish. `problem` is set, and nothing else, when the line could not be understood."""

    set_rate_per_s: float | None = None
    phase: str | None = None
    stop: bool = False
    problem: str | None = None


class ControlReader:
    """Reads what has been appended since the last poll; a line still being written is left for the next."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset = 0

    def poll(self) -> Sequence[ControlLine]:
        """The whole lines that came since the last call."""
        try:
            with self._path.open("rb") as file:
                file.seek(self._offset)
                fresh = file.read()
        except FileNotFoundError:
            return ()
        whole = fresh[: fresh.rfind(b"\n") + 1]
        self._offset += len(whole)
        return [_parse(text.decode("utf-8", "replace")) for text in whole.splitlines() if text.strip()]


def _parse(text: str) -> ControlLine:
    try:
        line: Json = json.loads(text)
    except ValueError:
        line = None
    match line:
        case {"set_rate": int() | float() as rate} if not isinstance(rate, bool) and 0 <= rate < float("inf"):
            return ControlLine(set_rate_per_s=float(rate))
        case {"phase": str() as phase}:
            return ControlLine(phase=phase)
        case {"stop": True}:
            return ControlLine(stop=True)
    return ControlLine(
        problem=f'not a control line: {text[:100]}; write {{"set_rate": 5}}, {{"phase": "x"}} or {{"stop": true}}'
    )
