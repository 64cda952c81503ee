"""The one text of a document: same figures, same bytes. summary.json and verdict.json are written through here."""

import json
import math
from collections.abc import Mapping, Sequence

from loadgen.errors import RunDirectoryProblem
from loadgen.records import Json

# Microseconds in figures given in seconds, and a millionth of a ratio: finer than anything measured.
DECIMALS = 6


def text(document: Json) -> str:
    """JSON with sorted keys, rounded numbers, and a newline at the end.

    What was not measured is None before it comes here: RunDirectoryProblem, with its path, for a figure that is NaN or
    infinite, which only a damaged record can amount to.
    """
    return json.dumps(_plain(document, ()), indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n"


def _plain(value: Json, path: tuple[str, ...]) -> Json:
    if isinstance(value, Mapping):
        return {str(key): _plain(inner, (*path, str(key))) for key, inner in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_plain(inner, (*path, str(place))) for place, inner in enumerate(value)]
    if isinstance(value, float):
        if not math.isfinite(value):
            raise RunDirectoryProblem(f"the figure {'.'.join(path)} comes out as {value}: the run's record is damaged")
        # + 0.0 turns -0.0 into 0.0
        return round(value, DECIMALS) + 0.0
    return value
