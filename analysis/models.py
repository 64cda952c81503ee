"""What laws and models say of a run, together: between a `Recording` and the report's chapter on the shop's parts."""

from dataclasses import dataclass

from analysis.bottleneck import Bottleneck, bottleneck, busiest
from analysis.demand import Demands, demands
from analysis.laws import Laws, laws
from analysis.recording import Recording
from loadgen.records import Json


@dataclass(frozen=True, slots=True)
class Models:
    """`bottleneck` is None where no tier gave out; `bottleneck_sentence` says what was found either way."""

    laws: Laws
    demands: Demands
    bottleneck: Bottleneck | None
    bottleneck_sentence: str

    def as_json(self) -> dict[str, Json]:
        """The keys of summary.json."""
        none: dict[str, Json] = {"tier": None, "sentence": self.bottleneck_sentence, "evidence": []}
        return {
            "laws": self.laws.as_json(),
            "demand": self.demands.as_json(),
            "bottleneck": self.bottleneck.as_json() if self.bottleneck else none,
        }


def models(recording: Recording) -> Models:
    """All of them."""
    found = bottleneck(recording)
    return Models(laws(recording), demands(recording), found, found.sentence if found else _none(recording))


def _none(recording: Recording) -> str:
    most = busiest(recording)
    if most is None:
        return "Which part gives out first is not known: nobody looked at the target's processes."
    unseen = "" if len(recording.queues) else " Who waited for places and connections was not recorded."
    return f"No part gave out: the busiest was the {most[0]}, with {most[1]:.2f} cores in use.{unseen}"
