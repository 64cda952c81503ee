"""Whether the shoppers' side and the shop's own log agree on how many requests went on to the shop; pure.

    sent = answered by a cache + answered by the edge itself or a server on the way + unanswered + forwarded

so that `forwarded` is what is left of all requests of the run, and the shop's log must have as many that a shopper or
a probe waited for. Counts of one request at two places may part where an answer was lost on its way; how many that can
be is counted, and a difference within it is explained. One beyond it means that somebody miscounts, and is told as a
warning.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from analysis.invariants.finding import counted
from analysis.origin_load import PROBED, client_requests, heard_of_caches, shop_fetches
from analysis.recording import Recording
from loadgen.records import CACHE_HITS, GATEWAY, PARSER, PROBE, Event, Json

UNANSWERED = ("refused", "connect", "tls", "timeout", "protocol")
# Of these nobody can tell whether they reached the shop: there was a connection, and no answer.
_MAY_HAVE_ARRIVED = ("timeout", "protocol")
# Around an instant at which something was broken: in flight before it, lines of a log that were not yet written, and
# the second in which the two sides may have counted differently.
_BEFORE_S, _AFTER_S = 1, 2
_ON_THE_WAY = (PARSER, GATEWAY)
_LOSES_NOTHING = ("purge-storm", "origin-slow")


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """Requests of the whole run, probes included; `difference` is what the shop's log has more than was forwarded.

    What servers on the way answered counts as answered by the edge.
    """

    client_request_count: int
    answered_by_cache_count: int
    answered_by_edge_count: int
    forwarded_count: int
    unanswered_count: int
    origin_client_count: int
    difference: int
    explained: bool
    sentence: str

    def as_json(self) -> dict[str, Json]:
        """The account as it stands in summary.json."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True)
class _Reason:
    """Why the two sides may differ, and by how many requests at most."""

    most: int
    told: str


def reconcile(recording: Recording) -> Reconciliation | None:
    """None where a side is missing: no log of the shop's, or caches of which only the nearest was recorded."""
    fetches = shop_fetches(recording)
    if not len(fetches) or (not len(recording.caches) and heard_of_caches(recording)):
        return None
    sent = client_requests(recording.counters)
    by_cache = _said(recording, *CACHE_HITS)
    by_edge = _said(recording, "local")
    on_the_way = _made_by(recording, *_ON_THE_WAY)
    unanswered = _failed(recording, *UNANSWERED)
    forwarded = sent - by_cache - by_edge - unanswered
    logged = int(fetches.loc[fetches["cause"].isin(("client", PROBED)), "request_count"].sum())
    difference = logged - forwarded
    reasons = [reason for reason in _reasons(recording, difference) if reason.most]
    explained = abs(difference) <= sum(reason.most for reason in reasons)
    by = {"caches": by_cache, "the edge itself": by_edge - on_the_way, "a server on the way": on_the_way}
    account = _account(_sent(recording, sent), by, forwarded, unanswered)
    return Reconciliation(
        client_request_count=sent,
        answered_by_cache_count=by_cache,
        answered_by_edge_count=by_edge,
        forwarded_count=forwarded,
        unanswered_count=unanswered,
        origin_client_count=logged,
        difference=difference,
        explained=explained,
        sentence=f"{account} {_outcome(logged, difference, reasons, explained=explained)}",
    )


def _said(recording: Recording, *statuses: str) -> int:
    """Requests of which a cache said one of these; at most one cache answers a request."""
    caches = recording.caches
    return int(caches.loc[caches["status"].isin(statuses), "request_count"].sum())


def _made_by(recording: Recording, *servers: str) -> int:
    """Answers that servers on the way made."""
    caches = recording.caches
    return int(caches.loc[caches["cache"].isin(servers), "request_count"].sum())


def _failed(recording: Recording, *classes: str) -> int:
    return int(recording.counters[[f"failed_{name}_count" for name in classes]].to_numpy().sum())


def _reasons(recording: Recording, difference: int) -> Iterator[_Reason]:
    """What may have made a difference of this sign."""
    if difference > 0:
        count = _failed(recording, *_MAY_HAVE_ARRIVED)
        yield _Reason(count, f"{counted(count, 'request')} got no answer, and the shop may have given one to each")
        count = _made_by(recording, GATEWAY)
        yield _Reason(count, f"for {counted(count, 'request')} a server on the way gave up, and the shop may not have")
    broken = [event for event in recording.events if _may_lose(event)]
    count = _passed_on_around(recording, broken)
    yield _Reason(count, f"of {counted(count, 'request')} around {_named(broken)} answers and log lines may be lost")


def _may_lose(event: Event) -> bool:
    if event.kind == "fault_started":
        return event.detail.get("fault") not in _LOSES_NOTHING
    return event.kind == "worker_lost"


def _passed_on_around(recording: Recording, broken: list[Event]) -> int:
    """Requests in the seconds around these events that no cache answered."""
    seconds: set[int] = set()
    for event in broken:
        at_s = int(recording.elapsed_s(event.at))
        seconds.update(range(at_s - _BEFORE_S, at_s + _AFTER_S))
    counters, caches = recording.counters, recording.caches
    sent = client_requests(counters[counters["elapsed_s"].isin(seconds)])
    answered = caches[caches["elapsed_s"].isin(seconds) & caches["status"].isin([*CACHE_HITS, "local"])]
    return max(0, sent - int(answered["request_count"].sum()))


def _named(broken: list[Event]) -> str:
    return "the fault" if len(broken) == 1 else f"the {len(broken)} faults"


def _sent(recording: Recording, sent: int) -> str:
    counters = recording.counters
    probes = int(counters.loc[counters["page_kind"] == PROBE, "request_count"].sum())
    return counted(sent, "request") + (f" ({probes:,} of them probes)" if probes else "")


def _account(sent: str, answered: dict[str, int], forwarded: int, unanswered: int) -> str:
    parts = [f"{who} answered {count:,}" for who, count in answered.items() if count]
    parts.append(f"{forwarded:,} went on to the shop")
    parts += [f"{unanswered:,} got no answer"] if unanswered else []
    told = parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
    return f"Of {sent}, {told}."


def _outcome(logged: int, difference: int, reasons: list[_Reason], *, explained: bool) -> str:
    log = f"The shop's own log has {logged:,} that somebody waited for"
    if not difference:
        return f"{log}: it adds up."
    apart = f"{log}: {abs(difference):,} {'more' if difference > 0 else 'fewer'}"
    why = "; ".join(reason.told for reason in reasons)
    if explained:
        return f"{apart}, which is explained: {why}."
    if not reasons:
        return f"{apart}, and nothing in the record explains it."
    return f"{apart}, of which {abs(difference) - sum(reason.most for reason in reasons):,} are not explained: {why}."
