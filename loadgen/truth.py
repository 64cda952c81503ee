"""What the target itself says happened, fetched when the load has ended: truth.jsonl, origin.csv, origin_keys.csv."""

import contextlib
import json
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing

import requests

from loadgen.errors import EnvironmentProblem
from loadgen.origin import EDGE_TIERS, SHOP, LogLine, OriginKeyRow, OriginRow, ShopLog, TierLog, log_lines
from loadgen.records import ORIGIN_COLUMNS, ORIGIN_KEYS_COLUMNS, RowWriter
from loadgen.rundir import RunDirectory
from loadgen.stack import AccessLog, Stack

SETTLE_S = 20.0  # in which the shop has brought every order of a crash to its end
_TIMEOUT_S = 15.0
_POLL_S = 1.0
_Offsets = dict[str, int]


def log_sizes(stack: Stack) -> _Offsets:
    """How long the access logs are now: what was logged before a run need not be read after it."""
    sizes: _Offsets = {}
    for log in stack.access_logs:
        with contextlib.suppress(OSError):
            sizes[str(log.path)] = log.path.stat().st_size
    return sizes


def fetch_truth(
    run: RunDirectory,
    stack: Stack,
    started_at: float,
    *,
    settle_s: float = 0.0,
    pause: Callable[[float], object] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> None:
    """Write truth.jsonl; EnvironmentProblem, and no file, when the shop does not tell or stops in the middle.

    While orders are still open the shop is asked again, for `settle_s` at most; then the truth is what there is.
    """
    if not stack.ops_url or not stack.ops_token:
        raise EnvironmentProblem("stack.json names no ops_url and ops_token: the shop's truth was not fetched")
    give_up_at = clock() + settle_s
    open_count = _fetch(run, stack, started_at)
    while open_count and clock() < give_up_at:
        pause(_POLL_S)
        try:
            open_count = _fetch(run, stack, started_at)
        except EnvironmentProblem:  # the shop is being taken down: the last whole truth stays
            return


def _fetch(run: RunDirectory, stack: Stack, started_at: float) -> int:
    """Write truth.jsonl as it is now; how many orders are still open."""
    url = stack.ops_url
    fresh = run.truth.with_name(run.truth.name + ".new")
    try:
        with fresh.open("w", encoding="utf-8") as file:
            last = "{}"
            for last in _lines(stack, started_at):
                file.write(last + "\n")
        end = json.loads(last)
        if not isinstance(end, dict) or end.get("type") != "end":
            raise EnvironmentProblem(f"{url} stopped in the middle: the shop's truth is not known")
        fresh.replace(run.truth)
    except (OSError, ValueError) as error:
        raise EnvironmentProblem(f"the shop's truth was not fetched from {url}: {error}") from None
    finally:
        fresh.unlink(missing_ok=True)
    open_count = end.get("pending_count", 0)
    return open_count if isinstance(open_count, int) else 0


def write_origin(run: RunDirectory, stack: Stack, offsets: _Offsets, started_at: float, ended_at: float) -> list[str]:
    """Write origin.csv and origin_keys.csv from the tiers' access logs; the sentences for logs that were not read."""
    problems: list[str] = []
    if not stack.access_logs:
        return problems

    def lines(log: AccessLog) -> Iterator[LogLine]:
        return log_lines(_tail(log, offsets, problems))

    stale_ids: set[str] = set()
    has_edge = any(log.tier in EDGE_TIERS for log in stack.access_logs)
    shop = ShopLog(started_at, ended_at, stale_ids if has_edge else None)
    with closing(RowWriter(run.origin, ORIGIN_COLUMNS)) as rows:
        for log in stack.access_logs:
            if log.tier != SHOP:
                tier = TierLog(log.tier, started_at, ended_at)
                tier.read(lines(log))
                stale_ids |= tier.stale_ids
                _write(rows, tier.rows())
        shop.read_all([lines(log) for log in stack.access_logs if log.tier == SHOP])
        _write(rows, shop.rows())
    with closing(RowWriter(run.origin_keys, ORIGIN_KEYS_COLUMNS)) as rows:
        _write(rows, shop.key_rows())
    return problems


def _write(file: RowWriter, rows: Iterable[OriginRow] | Iterable[OriginKeyRow]) -> None:
    for row in rows:
        file.write(row.as_row())


def _lines(stack: Stack, started_at: float) -> Iterator[str]:
    url = stack.ops_url or ""
    with requests.get(
        url,
        params={"since": f"{started_at:.6f}"},
        headers={"Authorization": f"Bearer {stack.ops_token}"},
        verify=str(stack.ca_file) if stack.ca_file else True,
        timeout=_TIMEOUT_S,
        stream=True,
        allow_redirects=False,
    ) as response:
        if response.status_code != 200:
            raise EnvironmentProblem(f"the shop's truth was not fetched: {url} answered {response.status_code}")
        for line in response.iter_lines(decode_unicode=False):
            yield line.decode("utf-8")


def _tail(log: AccessLog, offsets: _Offsets, problems: list[str]) -> Iterator[str]:
    try:
        with log.path.open("rb") as file:
            file.seek(offsets.get(str(log.path), 0))
            for line in file:
                yield line.decode("utf-8", "replace")
    except OSError as error:
        problems.append(f"the access log {log.path} was not read: {error.strerror}")
