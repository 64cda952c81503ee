"""The one text of a document: same figures, same bytes. summary.json and verdict.json are written through here."""

import json
import math
from collections.abc import Mapping, Sequence

from loadgen.records import Json

# Microseconds in figures given in seconds, and a millionth of a ratio: finer than anything measured.
DECIMALS = 6


def text(document: Json) -> str:
    """JSON with sorted keys, rounded numbers, null for what is no number, and a newline at the end."""
    return json.dumps(_plain(document), indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n"


def _plain(value: Json) -> Json:
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_plain(inner) for inner in value]
    if isinstance(value, float):
        # + 0.0 turns -0.0 into 0.0
        return round(value, DECIMALS) + 0.0 if math.isfinite(value) else None
    return value
