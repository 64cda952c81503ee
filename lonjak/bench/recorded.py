"""What a run of ours wrote down of itself: the count that stands beside the server's."""

from csv import DictReader

from loadgen.rundir import RunDirectory


def recorded_count(run: RunDirectory) -> int:
    """How many requests are in a run's files."""
    with run.counters.open(encoding="utf-8", newline="") as file:
        return sum(int(row["request_count"]) for row in DictReader(file))
