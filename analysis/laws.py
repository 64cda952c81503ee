"""Two laws that hold in any run whose generator counts right, whatever the shop did; pure.

Little's law (J. D. C. Little, A Proof for the Queuing Formula L = λW, Operations Research 9, 1961), over a whole run,
in which everybody who came has left, an identity of sums:

    mean number in the shop = arrival rate x mean stay

The left side is sessions.csv, kept by who lets sessions in and out; the right one is funnel.csv and the stays in
latency.hlog, as the recorder counted.

The utilisation law (P. J. Denning and J. P. Buzen, The Operational Analysis of Queueing Network Models, Computing
Surveys 10, 1978):

    cores in use = throughput x service demand

The left side is tiers.csv; throughput is what shoppers counted as passed on to the shop, and demand is processor time
by request in the shop's own log. Both sides share the processor time, so what is tested is the throughput.
"""

from dataclasses import dataclass
from typing import Literal

from analysis.origin_load import SHOP
from analysis.reconciliation import reconcile
from analysis.recording import Recording
from loadgen.histogram import value_at
from loadgen.records import STAY, Json

TOLERANCE_RATIO = 0.02
# What one session or request that falls into another second at the edge of a run may do to few of them.
_BORNE_COUNT = 1
Name = Literal["little", "utilisation"]
Outcome = Literal["pass", "fail", "none"]


@dataclass(frozen=True, slots=True)
class Law:
    """One law held against a run; `measured` and `expected` are its sides (sessions, or cores), None where not known.

    `counted` sessions or requests stand behind it. `outcome` is none where it could not be checked.
    """

    name: Name
    outcome: Outcome
    measured: float | None
    expected: float | None
    counted: int
    sentence: str

    @property
    def difference_ratio(self) -> float | None:
        """By what share the right side lies above the left one."""
        if self.measured is None or self.expected is None or not self.measured > 0:
            return None
        return self.expected / self.measured - 1

    def as_json(self) -> dict[str, Json]:
        """The law as it stands in summary.json."""
        return {
            "outcome": self.outcome,
            "measured": self.measured,
            "expected": self.expected,
            "difference_ratio": self.difference_ratio,
            "counted_count": self.counted,
            "sentence": self.sentence,
        }


@dataclass(frozen=True, slots=True)
class Laws:
    """What became of the laws."""

    all: tuple[Law, ...]

    @property
    def mismatches(self) -> tuple[str, ...]:
        """A sentence for each law that does not hold."""
        return tuple(law.sentence for law in self.all if law.outcome == "fail")

    def as_json(self) -> dict[str, Json]:
        """`laws` in summary.json."""
        return {law.name: law.as_json() for law in self.all}


def laws(recording: Recording) -> Laws:
    """Both laws, checked as far as the record goes."""
    return Laws((_little(recording), _utilisation(recording)))


def _little(recording: Recording) -> Law:
    if why := _no_whole_run(recording):
        return _unchecked("little", f"Little's law was not checked: {why}.")
    if not len(recording.sessions):
        return _unchecked("little", "Little's law was not checked: nobody counted the sessions in the shop.")
    arrived = int(recording.funnel["arrived_count"].sum())
    present_s = float(recording.sessions["present_s"].sum())
    ended, stay_s = _stays(recording)
    if not arrived and not ended and not present_s:
        return _unchecked("little", "Little's law was not checked: the run had no sessions.")
    duration_s = recording.end_s
    measured = present_s / duration_s
    expected = arrived / duration_s * (stay_s / ended if ended else 0.0)
    holds = _alike(measured, expected, arrived) and abs(arrived - ended) <= _borne(arrived)
    told = (
        f"{measured:,.4g} sessions were in the shop on average; {arrived:,} that arrived in {duration_s:,.0f} s "
        f"and {ended:,} that stayed {stay_s / max(1, ended):,.3g} s on average make {expected:,.4g}"
    )
    return _law("little", measured, expected, arrived, told, what="sessions", holds=holds)


def _stays(recording: Recording) -> tuple[int, float]:
    """How many sessions ended, and how long they had been there in all, in seconds; each to 1 in 1,000."""
    count, total_us = 0, 0.0
    for _, _, stays in recording.intervals.by_second(STAY):
        for index, number in stays.counts.items():
            count += number
            total_us += number * (value_at(index) + value_at(index - 1) + 1) / 2 if index else 0.0
    return count, total_us / 1_000_000


def _utilisation(recording: Recording) -> Law:
    if why := _no_whole_run(recording):
        return _unchecked("utilisation", f"The utilisation law was not checked: {why}.")
    account = reconcile(recording)
    cpu_s = float(recording.tiers.loc[recording.tiers["tier"] == SHOP, "cpu_ratio"].sum())
    if account is None or not account.origin_client_count or not cpu_s > 0:
        return _unchecked(
            "utilisation", "The utilisation law was not checked: the shop showed no log of its own, or no processor."
        )
    duration_s = recording.end_s
    demand_s = cpu_s / account.origin_client_count
    measured = cpu_s / duration_s
    expected = account.forwarded_count / duration_s * demand_s
    told = (
        f"The shop had {measured:,.3g} cores in use; {account.forwarded_count:,} requests that shoppers and probes say "
        f"went on to it, at {demand_s * 1000:,.3g} ms of processor time for each of the "
        f"{account.origin_client_count:,} in its own log, make {expected:,.3g}"
    )
    holds = account.explained or _alike(measured, expected, account.origin_client_count)
    if account.explained and not _alike(measured, expected, account.origin_client_count):
        told += " (faults and requests without an answer explain the difference)"
    return _law("utilisation", measured, expected, account.origin_client_count, told, what="requests", holds=holds)


def _no_whole_run(recording: Recording) -> str | None:
    """Why sums over the run need not agree; these runs have no verdict anyhow."""
    if not recording.manifest.complete or recording.manifest.interrupted:
        return "the run did not end in order"
    lost = recording.events_of("worker_lost")
    return "a worker was lost with what it had counted" if lost else None


def _alike(measured: float, expected: float, counted: int) -> bool:
    return abs(expected - measured) <= max(measured, expected) * _borne(counted) / max(1, counted)


def _borne(counted: int) -> float:
    return max(_BORNE_COUNT, TOLERANCE_RATIO * counted)


def _law(name: Name, measured: float, expected: float, counted: int, told: str, *, what: str, holds: bool) -> Law:
    title = "Little's law" if name == "little" else "the utilisation law"
    if holds:
        return Law(name, "pass", measured, expected, counted, f"{told}: {title} holds.")
    sentence = (
        f"{told}: {title} does not hold within {TOLERANCE_RATIO:.0%}, so the generator miscounted {what}"
        f"{' or somebody else asked the shop meanwhile' if name == 'utilisation' else ''}; "
        "have nothing else use shop or generator, and run again."
    )
    return Law(name, "fail", measured, expected, counted, sentence)


def _unchecked(name: Name, sentence: str) -> Law:
    return Law(name, "none", None, None, 0, sentence)
