"""Seconds of a run made by hand, as tallies."""

from collections.abc import Sequence

from loadgen.histogram import Histogram
from loadgen.hlog import Tag
from loadgen.tally import Tally


def second_of(ok_ms: Sequence[float] = (), failed: int = 0, kind: str = "product") -> Tally:
    """A second in which these requests were answered well, and so many failed."""
    tally = Tally()
    if ok_ms:
        histogram = Histogram()
        for value in ok_ms:
            histogram.record(round(value * 1000))
        tally.add_histogram(Tag("response_time", kind, "ok"), histogram)
    if ok_ms or failed:
        tally.add_counters(kind, {"request_count": len(ok_ms) + failed, "failed_count": failed})
    return tally
