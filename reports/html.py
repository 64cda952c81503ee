"""report.html: one self-contained page from an Analysis; templates lay it out, charts are inline."""

from dataclasses import dataclass

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from analysis.run import Analysis
from loadgen.records import Json
from reports import network_words, wording
from reports.baseline import Baseline
from reports.charts import palette, pictures
from reports.charts.canvas import Chart


@dataclass(frozen=True, slots=True)
class Charts:
    """The charts of a page; None where there was nothing to draw."""

    throughput: Chart | None
    response_times: Chart | None
    heat_map: Chart | None
    ranges: Chart | None
    orders: Chart | None
    hit_ratio: Chart | None
    origin_load: Chart | None
    cpu: Chart | None
    lags: Chart | None


def environment() -> Environment:
    """The templates, with the words and number formats of this package as filters; everything is escaped."""
    templates = Environment(
        loader=PackageLoader("reports"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    formats = (
        wording.count,
        wording.decimal,
        wording.ms,
        wording.ms_unit,
        wording.cpu_ms,
        wording.seconds,
        wording.percent,
        wording.bar,
        wording.checked,
        wording.worst_first,
        wording.mebibytes,
        wording.rupiah,
        wording.clock,
        wording.utc,
        wording.page_kinds,
        wording.limit,
        wording.objective_label,
        network_words.check_words,
        network_words.late,
    )
    templates.filters.update({function.__name__: function for function in formats})
    templates.filters["network_answers"] = network_words.answers
    templates.filters["cell"] = _in_cell
    # Drawings are this package's own markup; every text in them was escaped by matplotlib's SVG writer.
    templates.globals.update(
        light=Markup(palette.declarations(palette.LIGHT)),  # noqa: S704
        dark=Markup(palette.declarations(palette.DARK)),  # noqa: S704
        drawing=Markup,
        CACHE_WORDS=network_words.CACHE_WORDS,
        NOTHING=wording.NOTHING,
        PERCENTILES=wording.PERCENTILES,
        FAILURES=wording.FAILURES,
        INVARIANTS=wording.INVARIANTS,
        percentile=wording.percentile,
        objective_value=wording.objective_value,
    )
    return templates


def _in_cell(text: str) -> str:
    """A text that stays within its cell of a Markdown table."""
    return " ".join(text.replace("|", "¦").split())


def render(analysis: Analysis, baseline: Baseline | None = None) -> str:
    """The page; `baseline` is what a comparison with earlier runs came to."""
    return (
        environment()
        .get_template("report.html")
        .render(
            run=analysis,
            baseline=baseline,
            manifest=analysis.manifest,
            summary=analysis.summary,
            answer=wording.answer(analysis),
            charts=_charts(analysis),
        )
    )


def _charts(analysis: Analysis) -> Charts:
    series = analysis.series
    return Charts(
        throughput=pictures.throughput(series),
        response_times=pictures.response_times(series),
        heat_map=pictures.heat_map(series),
        ranges=pictures.ranges(_ranges(analysis.summary["response_time_ms"])),
        orders=pictures.orders(series),
        hit_ratio=pictures.hit_ratio(series),
        origin_load=pictures.origin_load(series),
        cpu=pictures.cpu(series),
        lags=pictures.lags(series),
    )


def _ranges(latencies: Json) -> dict[str, tuple[float, float | None, float | None]]:
    """p50, p95 and p99 by page kind; None for a percentile with too few samples behind it."""
    found: dict[str, tuple[float, float | None, float | None]] = {}
    for kind in wording.page_kinds(latencies) if isinstance(latencies, dict) else ():
        row = {name: wording.number(latencies, kind, name) or 0.0 for name in ("count", "p50", "p95", "p99")}
        found[kind] = (row["p50"], wording.percentile(row, "p95"), wording.percentile(row, "p99"))
    return found
