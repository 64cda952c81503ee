"""Whether the values of a manifest.json are of the kind that its fields are: between JSON and `Manifest`."""

from collections.abc import Iterable, Mapping

LATEST_S = 253_402_300_799.0  # the end of the year 9999: no calendar goes further
_MOST = 1e12
_TEXTS = ("scenario", "target", "command", "kind")
_TEXTS_OR_NONE = ("edge", "commit", "foreign_locustfile")
_FLAGS = ("complete", "interrupted")
_MAPPINGS = ("versions", "host", "cpu_sets", "edge_options", "plan")
_LISTS = ("workers", "targets", "caches")
_INSTANTS = ("started_at", "ended_at")
_PLAN_NUMBERS = ("rate_per_s", "duration_s", "warmup_s", "drain_s", "users")


def check_fields(values: Mapping[str, object]) -> None:
    """Raise ValueError with a sentence for the first field of another kind; fields may be missing."""
    for name, kinds, told in _KINDS:
        if name in values and not _is(values[name], kinds):
            raise ValueError(f"{name} is not {told}")
    for name in _INSTANTS:
        _check_number(name, values.get(name), LATEST_S)
    plan = values.get("plan")
    _check_plan(plan if isinstance(plan, Mapping) else {})
    for name in ("targets", "caches"):
        _check_texts(name, values.get(name, ()))
    _check_workers(values.get("workers", ()))
    cpu_sets = values.get("cpu_sets")
    for name, cpus in cpu_sets.items() if isinstance(cpu_sets, Mapping) else ():
        if not isinstance(cpus, list) or not all(_is(cpu, (int,)) for cpu in cpus):
            raise ValueError(f"cpu_sets.{name} is not a list of processors' numbers")


def _kinds(names: Iterable[str], kinds: tuple[type, ...], told: str) -> list[tuple[str, tuple[type, ...], str]]:
    return [(name, kinds, told) for name in names]


_NONE = type(None)
_KINDS = [
    *_kinds(_TEXTS, (str,), "a text"),
    *_kinds(_TEXTS_OR_NONE, (str, _NONE), "a text"),
    *_kinds(_FLAGS, (bool,), "true or false"),
    *_kinds(_MAPPINGS, (dict,), "an object"),
    *_kinds(_LISTS, (list,), "a list"),
    *_kinds(("seed",), (int,), "a whole number"),
    *_kinds(("started_at",), (int, float), "a number"),
    *_kinds(("ended_at",), (int, float, _NONE), "a number"),
]


def _is(value: object, kinds: tuple[type, ...]) -> bool:
    """Whether a value is of one of these kinds; true and false are no numbers."""
    return isinstance(value, kinds) and (bool in kinds or not isinstance(value, bool))


def _check_number(name: str, value: object, most: float) -> None:
    if isinstance(value, int | float) and not 0 <= value <= most:
        raise ValueError(f"{name} is {value:g}, but must be a number from 0 to {most:g}")


def _check_plan(plan: Mapping[object, object]) -> None:
    for name in _PLAN_NUMBERS:
        if name in plan and not _is(plan[name], (int, float)):
            raise ValueError(f"plan.{name} is not a number")
        _check_number(f"plan.{name}", plan.get(name), _MOST)
    for name in ("model", "arrivals"):
        if name in plan and not isinstance(plan[name], str):
            raise ValueError(f"plan.{name} is not a text")


def _check_texts(name: str, values: object) -> None:
    if isinstance(values, list) and not all(isinstance(value, str) for value in values):
        raise ValueError(f"{name} holds something that is no text")


def _check_workers(workers: object) -> None:
    for worker in workers if isinstance(workers, list) else ():
        if not isinstance(worker, dict) or not isinstance(worker.get("name"), str):
            raise ValueError("a worker has no name")
        if not _is(worker.get("pid"), (int,)) or not _is(worker.get("clock_offset_s"), (int, float)):
            raise ValueError(f"worker {worker['name']!r} has no pid or no clock_offset_s")
