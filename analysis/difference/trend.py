"""Runs of one load over time: four figures of each with their intervals, and where they changed; pure.

`follow` computes, `document` is trend.json.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from analysis import bootstrap, canonical
from analysis.bootstrap import Estimate
from analysis.difference.block_length import block_length
from analysis.difference.change_points import change_points, least_runs
from analysis.difference.figures import CONVERSION, FAILED, GOODPUT, Figure, values
from analysis.difference.likeness import Identity, differences, identity, known_fields
from analysis.difference.resampling import within_runs
from analysis.difference.steady_cells import cell_length_s, cells_of
from analysis.difference.usable import doubts, refuse_contradictions
from analysis.recording import Recording, read
from analysis.steady_seconds import ALL
from loadgen.errors import LonjakError, UsageProblem
from loadgen.records import Json
from loadgen.rundir import RunDirectory

SCHEMA_VERSION = 1
FOLLOWED = (Figure(ALL, "p95"), Figure(ALL, FAILED), Figure(ALL, GOODPUT), Figure(ALL, CONVERSION))
_INTERVAL = bootstrap.INTERVAL
_SEED = 1


@dataclass(frozen=True, slots=True)
class Point:
    """One run: its figures in their own units, each with the 95 % interval that its seconds give."""

    run: str
    started_at: float
    commit: str | None
    figures: Mapping[Figure, Estimate]


@dataclass(frozen=True, slots=True)
class Change:
    """A figure's level is another from one run on: the medians before and after."""

    figure: Figure
    at: int
    before: float
    after: float


@dataclass(frozen=True, slots=True)
class Trend:
    """All runs of the newest one's load by time; `left_out` are the others, each with the reason in a sentence.

    `least_runs` is how many runs are needed before any change could be told.
    """

    scenario: str
    points: tuple[Point, ...]
    changes: tuple[Change, ...]
    left_out: tuple[str, ...]
    least_runs: int


def follow(runs: Sequence[RunDirectory], allowed: Sequence[str] = ()) -> Trend:
    """Reads all runs; those that are damaged, prove nothing or are of another load are left out and named.

    Raises UsageProblem when not one is left.
    """
    known_fields(allowed)
    left_out: list[str] = []
    found = sorted(_sound(runs, left_out), key=lambda each: each[1].manifest.started_at)
    if not found:
        why = f": {left_out[0]}" if left_out else ""
        raise UsageProblem(f"there is no run that could be followed{why}")
    newest = found[-1][2]
    alike: list[tuple[RunDirectory, Recording]] = []
    for run, recording, known in found:
        unlike = [each for each in differences([newest], [known]) if each.field not in allowed]
        if unlike:
            left_out.append(f"{run.path} is of another load than the newest: {unlike[0].sentence}.")
        else:
            alike.append((run, recording))
    points = tuple(_point(run, recording) for run, recording in alike)
    shown = [figure for figure in FOLLOWED if any(point.figures[figure].value is not None for point in points)]
    return Trend(
        scenario=newest.manifest.scenario,
        points=points,
        changes=tuple(change for figure in shown for change in _changes(figure, points, len(shown))),
        left_out=tuple(left_out),
        least_runs=least_runs(len(shown)),
    )


def document(trend: Trend) -> str:
    """The text of trend.json; the same runs give the same bytes."""
    return canonical.text(
        {
            "schema_version": SCHEMA_VERSION,
            "scenario": trend.scenario,
            "least_runs": trend.least_runs,
            "runs": [_point_json(point) for point in trend.points],
            "changes": [
                {
                    "figure": change.figure.name,
                    "from_run": trend.points[change.at].run,
                    "before": change.before,
                    "after": change.after,
                }
                for change in trend.changes
            ],
            "left_out": list(trend.left_out),
        }
    )


def _point_json(point: Point) -> dict[str, Json]:
    figures = {figure.name: estimate.as_json() for figure, estimate in point.figures.items()}
    return {"run": point.run, "started_at": point.started_at, "commit": point.commit, "figures": figures}


def _sound(runs: Sequence[RunDirectory], left_out: list[str]) -> list[tuple[RunDirectory, Recording, Identity]]:
    found: list[tuple[RunDirectory, Recording, Identity]] = []
    for run in runs:
        try:
            recording = read(run)
            refuse_contradictions(run, recording)
            known = identity(run, recording.manifest)
        except LonjakError as error:
            left_out.append(f"{run.path} cannot be read: {error}.")
            continue
        if told := doubts(run, recording):
            left_out.append(told[0])
        else:
            found.append((run, recording, known))
    return found


def _point(run: RunDirectory, recording: Recording) -> Point:
    cells = cells_of([recording], cell_length_s([[recording]]))
    measured = values(cells, np.ones((1, sum(cells.lengths))))
    drawn = values(cells, within_runs(cells.lengths, block_length([cells]), np.random.default_rng(_SEED)))
    figures: dict[Figure, Estimate] = {}
    for figure in FOLLOWED:
        if figure not in measured or np.isnan(measured[figure][0]):
            figures[figure] = Estimate()
            continue
        scaled = np.exp if figure.is_percentile else np.asarray
        low, high = np.nanpercentile(drawn[figure], _INTERVAL)
        figures[figure] = Estimate(*(float(scaled(number)) for number in (measured[figure][0], low, high)))
    if not cells.paid.sum() and not cells.arrived.sum():
        figures[Figure(ALL, CONVERSION)] = Estimate()
    return Point(str(run.path), recording.manifest.started_at, recording.manifest.commit, figures)


def _changes(figure: Figure, points: Sequence[Point], series_count: int) -> list[Change]:
    """Changes of one figure; runs that lack it are passed over."""
    known = [(at, value) for at, point in enumerate(points) if (value := point.figures[figure].value) is not None]
    series = [value for _, value in known]
    places = change_points(series, series_count)
    edges = [0, *places, len(series)]
    return [
        Change(
            figure,
            known[place][0],
            float(np.median(series[edges[number] : place])),
            float(np.median(series[place : edges[number + 2]])),
        )
        for number, place in enumerate(places)
    ]
