"""A difference between runs in words: the answer in one sentence, what it stands on, what to do next."""

from collections.abc import Sequence

from analysis.difference.difference import Difference
from analysis.difference.figures import CONVERSION, FAILED, GOODPUT, Figure
from analysis.difference.judging import Compared
from analysis.steady_seconds import ALL
from loadgen.units import format_duration
from reports import wording

_NAMES = {FAILED: "failed requests", GOODPUT: "goodput", CONVERSION: "conversion"}
_SENTENCE_WORDS = {FAILED: "the share of failed requests", GOODPUT: "goodput", CONVERSION: "conversion"}
# What a reader asks first.
_FIRST = ("p95", FAILED, GOODPUT, CONVERSION, "p50", "p99", "p90", "p999")
_RUNS_TO_SEE_RUNS = 3
VERDICTS = {"pass": "No regression found", "fail": "Regression", "unknown": "No answer"}
MARKS = {"regression": "fail", "improvement": "pass", "no evidence": "none", "too few samples": "unknown"}


def answer(difference: Difference) -> str:
    """The whole comparison in one sentence."""
    if difference.verdict == "unknown":
        return f"Nothing can be said: {_lower(difference.doubts[0])}"
    worse, better = (_by_weight(difference.of(outcome)) for outcome in ("regression", "improvement"))
    if worse:
        beside = f", and {len(worse) - 1} more {_figures(len(worse) - 1)} got worse" if len(worse) > 1 else ""
        return f"B is worse than A: {_moved(worse[0])}{beside}."
    if better:
        beside = f", and {len(better) - 1} more {_figures(len(better) - 1)} got better" if len(better) > 1 else ""
        return f"B is better than A: {_moved(better[0])}{beside}; nothing got worse as far as can be seen."
    head = headline(difference)
    if head is None or head.smallest is None:
        return "There is no evidence that B is worse than A."
    return (
        f"There is no evidence that B is worse than A; a change of {label(head.figure)} by "
        f"{points(head.figure, head.smallest)} or more would have been found."
    )


def headline(difference: Difference) -> Compared | None:
    """The figure that the sentences are about: p95 of all requests, or the nearest one that could be judged."""
    judged = [each for each in difference.figures if each.smallest is not None]
    return next(iter(_by_weight(judged)), None)


def limits(difference: Difference) -> list[str]:
    """What these runs could not have shown, and which would."""
    found: list[str] = list(difference.doubts if difference.verdict == "unknown" else ())
    head = headline(difference)
    if head and head.smallest is not None:
        could = f"The smallest change of {label(head.figure)} that these runs would have shown"
        found.append(f"{could} (nineteen times of twenty) is {points(head.figure, head.smallest)}.")
        found.append(_advice(head))
    if difference.figures and difference.runs_a_side == 1:
        found.append(
            "With one run on a side, how much runs of the same shop differ from each other is not seen: what differs "
            f"may be the day, not the shop. {_RUNS_TO_SEE_RUNS} runs a side show it."
        )
    found += [f"The runs differ in {each.sentence}, which was allowed." for each in difference.allowed]
    return [*found, *difference.notes]


def _advice(head: Compared) -> str:
    wanted = f"To see a change of {label(head.figure)} by a tenth"
    if head.needed is None:
        return f"{wanted}, no bearable length would do: make the load steadier, or run on a quieter machine."
    runs = f"{head.needed.runs} {'run' if head.needed.runs == 1 else 'runs'}"
    return f"{wanted}, take {runs} a side of {format_duration(head.needed.steady_s)} after the warm-up."


def label(figure: Figure) -> str:
    """A figure in a sentence: p95 of checkout."""
    pages = "all requests" if figure.page_kind == ALL else figure.page_kind
    if figure.is_percentile:
        return f"{wording.PERCENTILES[figure.name]} of {pages}"
    if figure.name == FAILED and figure.page_kind != ALL:
        return f"{_SENTENCE_WORDS[FAILED]} of {pages}"
    return _SENTENCE_WORDS[figure.name]


def name(figure: Figure) -> str:
    """A figure in a table whose heading is its page kind."""
    return wording.PERCENTILES.get(figure.name) or _NAMES[figure.name]


def value(figure: Figure, number: float | None) -> str:
    """A figure's value with its unit."""
    if figure.is_percentile:
        return wording.ms_unit(number)
    if figure.name == GOODPUT:
        return wording.NOTHING if number is None else f"{wording.decimal(number)}/s"
    return wording.percent(number)


def change(figure: Figure, number: float | None) -> str:
    """A change with its sign: +12 %; of failures in points of a percentage."""
    if number is None:
        return wording.NOTHING
    sign = "+" if number > 0 else "−" if number < 0 else "±"
    return f"{sign}{points(figure, abs(number))}"


def points(figure: Figure, number: float) -> str:
    """How much, without a sign."""
    share = abs(number) * 100
    text = f"{share:,.2f}" if share < 1 else f"{share:,.1f}" if share < 10 else f"{share:,.0f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return f"{text}\u00a0{'%' if figure.is_relative else 'points'}"


def interval(compared: Compared) -> str:
    """From where to where a change may lie."""
    if compared.low is None or compared.high is None:
        return ""
    return f"{change(compared.figure, compared.low)} to {change(compared.figure, compared.high)}"


def needed(compared: Compared) -> str:
    """What would show a change by a tenth, for a column."""
    if compared.needed is None:
        return wording.NOTHING
    length = format_duration(compared.needed.steady_s)
    return length if compared.needed.runs == 1 else f"{compared.needed.runs} × {length}"


def _moved(compared: Compared) -> str:
    rose = "rose" if (compared.change or 0.0) > 0 else "fell"
    between = f"{value(compared.figure, compared.a)} to {value(compared.figure, compared.b)}"
    if compared.change is None:
        return f"{label(compared.figure)} went from {between}"
    low, high = sorted(abs(bound or 0.0) for bound in (compared.low, compared.high))
    by = f"{points(compared.figure, compared.change)}, between {points(compared.figure, low)} and"
    return f"{label(compared.figure)} {rose} from {between} (by {by} {points(compared.figure, high)})"


def _by_weight(figures: Sequence[Compared]) -> list[Compared]:
    """Figures over all requests first, what a reader asks first before the rest."""
    return sorted(
        figures,
        key=lambda each: (each.figure.page_kind != ALL, _FIRST.index(each.figure.name), each.figure.page_kind),
    )


def _figures(number: int) -> str:
    return "figure" if number == 1 else "figures"


def _lower(sentence: str) -> str:
    """A sentence after a colon; names and paths stay as they are."""
    first = sentence.split(" ", 1)[0]
    plain = first.isalpha() and first not in ("A", "B") and first[1:].islower()
    return sentence[:1].lower() + sentence[1:] if plain else sentence
