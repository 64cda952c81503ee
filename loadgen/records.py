"""The rows and lines of a run directory: what loadgen records and analysis reads. docs/run-format.md describes them.

Rows with the same key (second and page kind, say) add up, so that late counts are simply appended.
"""

import csv
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal, Self, TextIO, TypeAlias

from loadgen.errors import RunDirectoryProblem

Json: TypeAlias = "bool | int | float | str | Sequence[Json] | Mapping[str, Json] | None"

PAGE_KINDS = (
    "home", "category", "search", "product", "waiting_room", "cart", "checkout", "payment", "confirmation",
    "login", "account", "orders", "fragment", "static", "probe",
)  # fmt: skip
PRODUCT = "product"
STAY = "stay"  # the measure of how long sessions were in the shop
PROBE = "probe"  # requests that look for leaks; no shopper's, and so in no sum over all page kinds
FAILURE_CLASSES = ("refused", "connect", "tls", "timeout", "protocol", "http_4xx", "http_5xx", "content", "other")
CACHE_STATUSES = ("hit", "stale", "miss", "collapsed", "none")
CACHE_HITS = ("hit", "stale", "collapsed")
CACHE_WORDS = ("hit", "stale", "collapsed", "miss", "expired", "revalidated", "bypass", "local")
LONGEST_S = 30 * 86_400  # arrivals end after 7 days; no second of a run lies beyond
MOST_CACHES = 20  # by name; the rest is `other`
# In the place of a cache, for what a server on the way answered although no cache says so: one that could not read the
# request, and asked nobody; and one that made up an error, as it got no answer from the next.
PARSER, GATEWAY = "http-parser", "gateway"
SAFETY_CHECKS = ("visitor", "set-cookie", "deception", "poisoning", "method-override", "oversized-header")
FUNNEL_STEPS = ("product", "cart", "checkout", "payment", "paid")

COUNTERS_COLUMNS = (
    "elapsed_s", "page_kind", "request_count", "failed_count",
    *(f"failed_{name}_count" for name in FAILURE_CLASSES),
    "received_bytes", "cacheable_count", "cacheable_bytes",
    *(f"cache_{name}_count" for name in CACHE_STATUSES),
    "cacheable_hit_count", "cacheable_hit_bytes", "late_count", "dropped_count",
)  # fmt: skip
FUNNEL_COLUMNS = (
    "elapsed_s", "segment", "arrived_count", *(f"{step}_count" for step in FUNNEL_STEPS),
    "finished_count", "abandoned_count", "cut_count", "late_count", "dropped_count", "paid_s_sum",
)  # fmt: skip
TIERS_COLUMNS = (
    "elapsed_s", "tier", "role", "pid", "cpu_ratio", "memory_bytes", "connection_count", "queue_length",
)  # fmt: skip
ORIGIN_COLUMNS = ("elapsed_s", "tier", "page_kind", "cache_status", "request_count", "sent_bytes")
ORIGIN_KEYS_COLUMNS = ("tier", "page_kind", "key", "request_count", "burst_count", "largest_burst_count")
CACHES_COLUMNS = ("elapsed_s", "page_kind", "cache", "status", "request_count", "received_bytes")
SIGHTINGS_COLUMNS = ("elapsed_s", "product_id", "request_count", "oldest_at")
SAFETY_COLUMNS = ("elapsed_s", "check", "checked_count", "alarm_count")
SESSIONS_COLUMNS = ("elapsed_s", "present_count", "present_s")
QUEUES_COLUMNS = (
    "elapsed_s", "tier", "queue", "limit", "in_use", "waiting_count", "passed_count", "waited_s", "refused_count",
)  # fmt: skip

Action = Literal["add_to_cart", "place_order", "return_order", "register", "login", "flash_sale"]
Outcome = Literal["ok", "fail", "unknown"]
_OUTCOMES = frozenset(("ok", "fail", "unknown"))
_NUMBERS = (float, int)
_LEDGER_FIELDS = (
    ("action", (str,)), ("session", (int,)), ("order_id", (int, type(None))), ("amount_idr", (int, type(None))),
    ("idempotency_key", (str, type(None))), ("reason", (str, type(None))),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class LedgerLine:
    """One state-changing attempt; `unknown` when nobody can tell from outside whether it happened."""

    at: float
    action: Action
    outcome: Outcome
    session: int
    idempotency_key: str | None = None
    order_id: int | None = None
    amount_idr: int | None = None
    items: tuple[tuple[int, int], ...] = ()  # (product id, quantity)
    reason: str | None = None

    def as_json(self) -> dict[str, Json]:
        """The line as it stands in ledger.jsonl."""
        return asdict(self)

    @classmethod
    def from_json(cls, line: Mapping[str, Json]) -> Self:
        """The line read back; ValueError when it is not one."""
        try:
            values = {**line, "items": tuple((int(item), int(count)) for item, count in line["items"])}  # type: ignore[union-attr,misc,arg-type]
            read = cls(**values)  # type: ignore[arg-type]
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"not a line of a ledger: {error}") from None
        if wrong := _wrong_field(read):
            raise ValueError(f"not a line of a ledger: {wrong} is {getattr(read, wrong)!r:.40}")
        return read


def _wrong_field(line: LedgerLine) -> str | None:
    """The first field that holds what it cannot, by exact types: a ledger may have a hundred thousand lines."""
    if type(line.at) not in _NUMBERS:
        return "at"
    if line.outcome not in _OUTCOMES:
        return "outcome"
    if type(line.amount_idr) is int and line.amount_idr < 0:
        return "amount_idr"
    for name, kinds in _LEDGER_FIELDS:
        if type(getattr(line, name)) not in kinds:
            return name
    return None


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to load, faults or generator; events.jsonl is their one history."""

    at: float  # seconds since the epoch
    kind: str
    detail: Mapping[str, Json]

    def as_json(self) -> dict[str, Json]:
        """The line as it stands in events.jsonl."""
        return {"at": self.at, "kind": self.kind, **self.detail}

    @classmethod
    def from_json(cls, line: Mapping[str, Json]) -> Self:
        """The event read back; ValueError when it is not one."""
        at, kind = line.get("at"), line.get("kind")
        if isinstance(at, bool) or not isinstance(at, int | float) or not isinstance(kind, str):
            raise ValueError("an event needs `at` (seconds since the epoch) and `kind`")
        return cls(float(at), kind, {key: value for key, value in line.items() if key not in ("at", "kind")})


def _refuse(constant: str) -> float:
    raise ValueError(f"{constant} is no number")


def _finite(text: str) -> float:
    number = float(text)
    return number if math.isfinite(number) else _refuse(text)


def _whole(text: str) -> int:
    return int(text) if len(text) <= _LONGEST_WHOLE else int(_refuse(f"{text[:40]}…"))


_LONGEST_WHOLE = 18  # digits of a number that fits into 64 bits, whatever they are
_DECODER = json.JSONDecoder(parse_constant=_refuse, parse_float=_finite, parse_int=_whole)


def strict_json(text: str) -> object:
    """JSON as RFC 8259 has it, of numbers that can be counted with; ValueError for anything else, such as NaN, 1e999 or
    whole numbers beyond 64 bits."""
    try:
        return _DECODER.decode(text)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def append_line(file: TextIO, line: Mapping[str, Json]) -> None:
    """Append one JSON line; the caller flushes."""
    file.write(json.dumps(line, separators=(",", ":"), ensure_ascii=False) + "\n")


def read_lines(path: Path) -> Iterator[dict[str, Json]]:
    """The JSON lines of a file, none when it is not there. A last line left torn by a killed process is dropped."""
    if not path.exists():
        return
    with path.open(encoding="utf-8", errors="replace") as file:
        for number, text in enumerate(file, start=1):
            if not text.endswith("\n"):
                return
            try:
                line = strict_json(text)
            except ValueError:
                line = None
            if not isinstance(line, dict):
                raise RunDirectoryProblem(f"{path.name} is damaged at line {number}: not a JSON object")
            yield line


class RowWriter:
    """Appends rows to one of the CSV files; a missing count is written as 0."""

    def __init__(self, path: Path, columns: Sequence[str]) -> None:
        self._columns = columns
        self._file = path.open("w", encoding="utf-8", newline="")
        self._writer = csv.writer(self._file, lineterminator="\n")
        self._writer.writerow(columns)

    def write(self, row: Mapping[str, Json]) -> None:
        """Append one row by column name."""
        self._writer.writerow([row.get(column, 0) for column in self._columns])

    def flush(self) -> None:
        """Hand everything to the operating system."""
        self._file.flush()

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def read_rows(path: Path, columns: Sequence[str]) -> Iterator[dict[str, str]]:
    """The rows of a CSV file by column name, none when it is not there.

    A last row left torn is dropped; other columns or a row of another width raise RunDirectoryProblem.
    """
    return (dict(zip(columns, row, strict=True)) for row in read_cells(path, columns))


def read_cells(path: Path, columns: Sequence[str]) -> Iterator[list[str]]:
    """The same rows as they stand there."""
    if not path.exists():
        return
    with path.open(encoding="utf-8", errors="replace", newline="") as file:
        rows = csv.reader(line for line in file if line.endswith("\n"))
        try:
            header = next(rows, None)
            if header is not None and tuple(header) != tuple(columns):
                raise RunDirectoryProblem(f"{path.name} has other columns than format 1: {', '.join(header)[:200]}")
            for number, row in enumerate(rows, start=2):
                if len(row) != len(columns):
                    raise RunDirectoryProblem(
                        f"{path.name} is damaged at line {number}: {len(row)} of {len(columns)} values"
                    )
                yield row
        except csv.Error as error:
            raise RunDirectoryProblem(f"{path.name} is damaged at line {rows.line_num}: {error}") from None
