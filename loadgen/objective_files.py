"""`[objectives]` and `[stop_when]` as text: read from a scenario or a file of their own, and written back.

Between TOML tables and the values of objectives.py and stop_rules.py.
"""

import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from loadgen.objectives import Objective, parse_objectives
from loadgen.stop_rules import NEVER, OUT_OF_REACH, StopWhen, parse_stop_when
from loadgen.units import format_duration

_BARE = re.compile(r"[A-Za-z0-9_-]+")


@dataclass(frozen=True, slots=True)
class Judging:
    """What a run is judged by, and given up by; `stop_when` is None where nothing was said about it."""

    objectives: tuple[Objective, ...]
    stop_when: StopWhen | None


def read_judging(table: Mapping[str, object], source: str) -> tuple[Judging, list[str]]:
    """What a file of objectives holds, with or without an [objectives] table around them, and all its problems."""
    inner = table.get("objectives", {key: value for key, value in table.items() if key != "stop_when"})
    if isinstance(inner, Mapping):
        objectives, problems = parse_objectives(inner)
    else:
        objectives, problems = (), ["[objectives] is not a table"]
    if not objectives and not problems:
        problems = ["holds no objectives"]
    if "objectives" in table:
        others = sorted(set(table) - {"objectives", "stop_when"})
        problems += [f"{key} is not a key; known: objectives, stop_when" for key in others]
    stop_when, more = read_stop_when(table.get("stop_when"))
    return Judging(objectives, stop_when), [f"{source} {problem}" for problem in (*problems, *more)]


def read_stop_when(table: object) -> tuple[StopWhen | None, list[str]]:
    """The rules of a [stop_when] table, None where there is none, and all that is wrong with it."""
    if table is None:
        return None, []
    if not isinstance(table, Mapping):
        return NEVER, ["[stop_when] is not a table"]
    return parse_stop_when(table)


def objective_lines(objectives: Sequence[Objective], stop_when: StopWhen) -> Iterator[str]:
    """Both tables as lines of TOML, which read back to the same."""
    yield "\n[objectives]"
    for scope in dict.fromkeys(objective.scope for objective in objectives):
        if scope.table:
            yield f"\n[{_key(('objectives', *scope.table))}]"
        held = [one for one in objectives if one.scope == scope]
        paths = {one.path for one in held}
        yield from (f'{_key_among(paths, one.path)} = "{one.comparator} {one.limit!r}"' for one in held)
    if stop_when:
        yield "\n[stop_when]"
        paths = {rule.condition.path for rule in stop_when.rules}
        for rule in stop_when.rules:
            one = rule.condition
            limit = f"{one.comparator} {one.limit!r} for {format_duration(rule.for_s)}"
            yield f'{_key_among(paths, one.path)} = "{limit}"'
        if stop_when.out_of_reach:
            yield f"{OUT_OF_REACH} = true"


def _key_among(paths: Collection[tuple[str, ...]], path: tuple[str, ...]) -> str:
    """The key of a path; one whose beginning has a value of its own cannot be a table too, and is one quoted key."""
    return _quoted(".".join(path)) if path[:1] in paths and len(path) > 1 else _key(path)


def _key(path: Sequence[str]) -> str:
    return ".".join(part if _BARE.fullmatch(part) else _quoted(part) for part in path)


def _quoted(text: str) -> str:
    """A string of JSON, which is one of TOML too but for DEL."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
