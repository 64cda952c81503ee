"""The curve as it grows: one line for each step of a search that is over, and the current one below."""

from loadgen.histogram import Histogram
from lonjak.capacity.observation import Second
from lonjak.capacity.steps import Step, StepResult
from lonjak.progress import Progress

_OUTCOMES = {"holds": "✓ holds", "fails": "✗ fails", "unknown": "? unknown", "unsteady": "? unsteady"}
_BAR = 24  # characters of the best goodput
_HEAD = f"{'sessions/s':>12}  {'outcome':<10}  {'p95':>9}  {'ok/s':>8}"


class Display:
    """Shows a search on stderr; `budget_s` is how long the load may last."""

    def __init__(self, progress: Progress, title: str, budget_s: float) -> None:
        self._progress = progress
        self._progress.start(title, total=budget_s, unit=" s")
        self._most_per_s = 0.0
        self._begun = False

    def warming(self, elapsed_s: int) -> None:
        """The load has been on for so many seconds, and nothing is judged yet."""
        self._progress.advance(elapsed_s + 1, "warming up")

    def going_on(self, elapsed_s: int, step: Step, second: Second, times: Histogram) -> None:
        """One more second of a step, `elapsed_s` of the run; `times` are the step's response times that count."""
        doing = "letting the backlog go at" if step.drains else step.purpose
        bound = ", the generator is the limit" if second.generator_bound else ""
        note = f"{doing} {step.rate_per_s:.4g}/s: {second.goodput_per_s:.0f} ok/s"
        note += f", p95 {_ms(times)}" if times.counts else ", settling"
        self._progress.advance(elapsed_s + 1, note + bound)

    def ended(self, result: StepResult, times: Histogram) -> None:
        """A step is over."""
        if not self._begun:
            self._begun = True
            self._progress.say(_HEAD)
        goodput = result.goodput_per_s or 0.0
        self._most_per_s = max(self._most_per_s, goodput)
        bar = "█" * round(_BAR * goodput / self._most_per_s) if self._most_per_s else ""
        figures = f"{_OUTCOMES[result.outcome]:<10}  {_ms(times):>9}  {goodput:8.1f}  {bar}"
        self._progress.say(f"{result.step.rate_per_s:12.4g}  {figures}".rstrip())


def _ms(times: Histogram) -> str:
    return f"{times.percentile_us(95.0) / 1000:.0f} ms" if times.counts else "–"
