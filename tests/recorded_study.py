"""A study made by hand: histories of tests/recorded_run.py as its parts, of which every figure is known beforehand.

Through nginx 60 of 300 requests that shoppers make in a while reach the shop, through nginx-pass all of them.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from loadgen.edge_comparison import Calibration, ComparedProfile, ExpectedSafety, StudyManifest, StudyOptions, StudyPart
from loadgen.records import Json
from loadgen.studydir import StudyDirectory, part_label
from tests.recorded_run import STARTED_AT, History, ordinary

CACHED = ("nginx-micro", "nginx", "varnish", "two-tier")
NO_PROBE_LEAKS = {
    "deception": ExpectedSafety("safe", "a suffix makes no page public"),
    "poisoning": ExpectedSafety("safe", "what is not in the key is removed"),
}


def history_of(profile: str, *, ms: float, origin_per_s: int, spread_ms: float = 0.0) -> History:
    """60 s of 20 product pages a second at `ms` (odd seconds `spread_ms` later), of which so many reach the shop."""
    history = ordinary()
    history.manifest = replace(history.manifest, edge=profile, cpu_sets={"generator": (1,), "stack": (0, 2)})
    for second, kind in list(history.ok_ms):
        history.ok_ms[second, kind] = [ms + spread_ms * (second % 2)] * 20
    if profile not in CACHED:
        history.cacheable.clear()
    history.origin = [logged(second, origin_per_s) for second in range(60)]
    return history


def logged(second: int, count: int) -> dict[str, Json]:
    """A second of the shop's own log."""
    row: dict[str, Json] = {"elapsed_s": second, "tier": "shop", "page_kind": "product", "cache_status": "client"}
    return {**row, "request_count": count, "sent_bytes": 1000 * count}


def profile_of(name: str) -> ComparedProfile:
    """A profile as `lonjak edge compare` would note it."""
    caches = (f"lonjak-{name}",) if name in CACHED else ()
    return ComparedProfile(name, f"what {name} does", caches, (), NO_PROBE_LEAKS if caches else {})


@dataclass
class Study:
    """What a study recorded; to be changed before `write`. Histories by profile stand in the order of the rounds.

    `problems` says why profiles could not be run; the study ended before it came to those that were left `untried`.
    """

    histories: dict[str, list[History]]
    problems: Mapping[str, str] = field(default_factory=dict)
    untried: tuple[str, ...] = ()
    changed: Callable[[StudyManifest], StudyManifest] = lambda manifest: manifest

    def write(self, root: Path) -> StudyDirectory:
        """The study's directory."""
        study = StudyDirectory.create(root, "edge-compare", datetime(2026, 11, 23, 8, 15, tzinfo=UTC))
        parts: list[StudyPart] = []
        rounds = max((len(of) for of in self.histories.values()), default=1)
        names = [*self.histories, *self.problems, *self.untried]
        for number in range(rounds):
            for name in names if number % 2 == 0 else reversed(names):
                parts.append(self._part(study, root, name, number, len(parts) + 1))
        manifest = StudyManifest(
            scenario="evening",
            seed=7,
            options=StudyOptions(rounds, 3000, 40.0, "auto", tls=False, waf=0, faults=False),
            profiles=tuple(profile_of(name) for name in names),
            parts=tuple(parts),
            started_at=STARTED_AT,
            command=f"lonjak edge compare evening --profiles {','.join(names)} --seed 7",
            calibration=Calibration(names[-1], 2.0, 1.0, 0.2, 0.6),
            ended_at=STARTED_AT + 200,
            complete=True,
        )
        self.changed(manifest).write(study.manifest)
        return study

    def _part(self, study: StudyDirectory, root: Path, name: str, number: int, place: int) -> StudyPart:
        part = StudyPart(part_label(place, name), name, number + 1)
        if name in self.problems:
            return replace(part, outcome="failed", problem=self.problems[name])
        if name in self.untried:
            return part
        run = self.histories[name][number].write(root / "elsewhere")
        study.part(part).path.parent.mkdir(exist_ok=True)
        run.path.rename(study.part(part).path)
        return replace(part, outcome="measured")


def two_edges() -> Study:
    """nginx at 20 ms, sparing the shop four fifths, beside nginx-pass at 60 ms."""
    return Study(
        {
            "nginx": [history_of("nginx", ms=20.0, origin_per_s=4)],
            "nginx-pass": [history_of("nginx-pass", ms=60.0, origin_per_s=20)],
        }
    )
