"""Times as people write them, to seconds and back."""

import math
import re

_UNIT_S = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|h|m|s)")
_WHOLE = re.compile(r"(?:\d+(?:\.\d+)?(?:ms|h|m|s))+")


def parse_duration(text: str | float) -> float:
    """Seconds from "90s", "2m", "1h30m", "250ms" or a number of seconds; ValueError with a sentence otherwise."""
    sentence = f"{text!r} is not a duration: write 90s, 2m or 1h30m"
    if isinstance(text, bool):
        raise ValueError(sentence)
    if isinstance(text, str):
        if _WHOLE.fullmatch(text.strip()):
            return sum(float(number) * _UNIT_S[unit] for number, unit in _PART.findall(text))
        try:
            text = float(text)
        except ValueError:
            raise ValueError(sentence) from None
    if not math.isfinite(text) or text < 0:
        raise ValueError(sentence)
    return float(text)


def format_duration(seconds: float) -> str:
    """The shortest of "90s", "2m", "1h30m" that parses back to the same seconds."""
    whole = round(seconds)
    if abs(seconds - whole) > 1e-9:
        return f"{seconds:g}s"
    hours, minutes, rest = whole // 3600, whole % 3600 // 60, whole % 60
    parts = [f"{amount}{unit}" for amount, unit in ((hours, "h"), (minutes, "m"), (rest, "s")) if amount]
    return "".join(parts) or "0s"
