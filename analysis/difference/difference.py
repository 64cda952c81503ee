"""Runs on two sides in, what differs between them out: the door of this package.

`compare` computes, `document` is compare.json.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from analysis import canonical
from analysis.difference.figures import CONVERSION
from analysis.difference.judging import MARGIN_RATIO, Compared, judge
from analysis.difference.likeness import Unlike, identity, refuse_unlike
from analysis.difference.steady_cells import Cells, cell_length_s, cells_of
from analysis.difference.uncertainty import ALARM_RATIO
from analysis.difference.usable import doubts, refuse_contradictions, refuse_the_same
from analysis.recording import Recording, read
from analysis.steady_seconds import ALL
from loadgen.manifest import Manifest
from loadgen.records import Json
from loadgen.rundir import RunDirectory

SCHEMA_VERSION = 1
_TOLD_FIRST = ("p95", "p90", "p50")
_BLIND_RATIO = 1.0
Verdict = Literal["pass", "fail", "unknown"]


@dataclass(frozen=True, slots=True)
class Side:
    """The runs of a side, by their paths as given, and its steady seconds."""

    runs: tuple[str, ...]
    steady_s: int
    started_at: float


@dataclass(frozen=True, slots=True)
class Difference:
    """What was compared and what came of it: `verdict` is fail for a regression, unknown where nothing can be said.

    `doubts` say why nothing can be said, `notes` what else a reader must know; `allowed` are fields in which the runs
    differ and may.
    """

    a: Side
    b: Side
    manifest: Manifest
    verdict: Verdict
    figures: tuple[Compared, ...]
    doubts: tuple[str, ...]
    notes: tuple[str, ...]
    allowed: tuple[Unlike, ...]
    margin_ratio: float
    block_s: int | None

    @property
    def runs_a_side(self) -> int:
        """Of the side that has fewer."""
        return min(len(self.a.runs), len(self.b.runs))

    def of(self, outcome: str) -> list[Compared]:
        """The figures with an outcome, in their order."""
        return [compared for compared in self.figures if compared.outcome == outcome]

    def figure(self, page_kind: str, name: str) -> Compared | None:
        """One figure, None where it was not compared."""
        found = (each for each in self.figures if (each.figure.page_kind, each.figure.name) == (page_kind, name))
        return next(found, None)


def compare(
    a: Sequence[RunDirectory],
    b: Sequence[RunDirectory],
    *,
    allowed: Sequence[str] = (),
    margin_ratio: float = MARGIN_RATIO,
) -> Difference:
    """The difference of B from A.

    Raises UsageProblem when the runs are unlike, or one of them stands twice; RunDirectoryProblem when one is damaged
    or contradicts itself.
    """
    sides = [[_read(run) for run in side] for side in (a, b)]
    refuse_the_same([*a, *b], [*sides[0], *sides[1]])
    identities = [
        [identity(run, recording.manifest) for run, recording in zip(side, read_ones, strict=True)]
        for side, read_ones in zip((a, b), sides, strict=True)
    ]
    differing = refuse_unlike(identities[0], identities[1], allowed)
    found = [doubt for side, ones in zip((a, b), sides, strict=True) for run, of in zip(side, ones, strict=True)
             for doubt in doubts(run, of)]  # fmt: skip
    cell_s = cell_length_s(sides)
    left, right = (cells_of(side, cell_s) for side in sides)
    judged = judge(left, right, margin_ratio) if _measured(sides) else None
    figures = judged.figures if judged else ()
    found += _nothing(left, figures)
    if found:
        figures = tuple(_unjudged(compared) for compared in figures)
    return Difference(
        a=_side(a, sides[0]),
        b=_side(b, sides[1]),
        manifest=sides[0][0].manifest,
        verdict=_verdict(figures, found),
        figures=figures,
        doubts=tuple(found),
        notes=tuple(_notes(left, right)),
        allowed=differing,
        margin_ratio=margin_ratio,
        block_s=judged.block_s if judged else None,
    )


def document(difference: Difference) -> str:
    """The text of compare.json; the same runs give the same bytes."""
    return canonical.text(
        {
            "schema_version": SCHEMA_VERSION,
            "verdict": difference.verdict,
            "scenario": difference.manifest.scenario,
            "a": {"runs": list(difference.a.runs), "steady_s": difference.a.steady_s},
            "b": {"runs": list(difference.b.runs), "steady_s": difference.b.steady_s},
            "alarm_ratio": ALARM_RATIO,
            "margin_ratio": difference.margin_ratio,
            "block_s": difference.block_s,
            "allowed": [{"field": each.field, "a": each.a, "b": each.b} for each in difference.allowed],
            "doubts": list(difference.doubts),
            "notes": list(difference.notes),
            "figures": _figures(difference.figures),
        }
    )


def _figures(figures: Sequence[Compared]) -> list[Json]:
    return [compared.as_json() for compared in figures]


def _read(run: RunDirectory) -> Recording:
    recording = read(run)
    refuse_contradictions(run, recording)
    return recording


def _side(runs: Sequence[RunDirectory], recordings: Sequence[Recording]) -> Side:
    steady = sum(max(0, recording.steady[1] - recording.steady[0]) for recording in recordings)
    return Side(
        tuple(str(run.path) for run in runs), steady, min(recording.manifest.started_at for recording in recordings)
    )


def _measured(sides: Sequence[Sequence[Recording]]) -> bool:
    """Whether every run has steady seconds to draw from."""
    return all(recording.steady[1] - recording.steady[0] > 1 for side in sides for recording in side)


def _nothing(left: Cells, figures: Sequence[Compared]) -> list[str]:
    """What leaves nothing to be said of runs that are sound themselves."""
    if not left.asked[ALL].sum():
        return ["A has no request in its steady phase."]
    if not left.ok.sum():
        return ["No request of A succeeded, so nothing can have become worse: mend A, and run it again."]
    # Sessions alone say nothing of the shop: what they saw are its requests.
    if all(each.outcome == "too few samples" for each in figures if each.figure.name != CONVERSION):
        return ["Every figure has too few samples to be judged: run longer."]
    return _blind(figures)


def _blind(figures: Sequence[Compared]) -> list[str]:
    """No evidence is no answer where even a response time twice as long would have passed for chance."""
    if any(each.outcome in ("regression", "improvement") for each in figures):
        return []
    seen = {each.figure.name: each.smallest for each in figures if each.figure.page_kind == ALL and each.smallest}
    name = next((name for name in _TOLD_FIRST if name in seen), None)
    if name is None or seen[name] <= _BLIND_RATIO:
        return []
    return [f"These runs would not even have shown that {name} of all requests doubled: run longer, or several a side."]


def _unjudged(compared: Compared) -> Compared:
    """A figure of runs that prove nothing: its numbers stay, its judgement does not."""
    return compared if compared.outcome == "too few samples" else replace(compared, outcome="unknown")


def _verdict(figures: Sequence[Compared], found: Sequence[str]) -> Verdict:
    if found:
        return "unknown"
    return "fail" if any(compared.outcome == "regression" for compared in figures) else "pass"


def _notes(left: Cells, right: Cells) -> list[str]:
    """Page kinds that one side lacks: they are in the figures over all requests, and nowhere else."""
    found: list[str] = []
    for name, ours, theirs in (("A", left, right), ("B", right, left)):
        if kinds := sorted(kind for kind in set(ours.asked) - set(theirs.asked)):
            counted = ", ".join(f"{kind} ({int(ours.asked[kind].sum()):,} requests)" for kind in kinds)
            found.append(f"Only {name} has {counted}: not compared, though counted in the figures over all requests.")
    return found
