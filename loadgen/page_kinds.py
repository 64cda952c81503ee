"""Names of requests as page kinds: fit for tags and few, whatever a locustfile calls its requests."""

import re

MOST_KINDS = 100
OTHER = "other"
_UNFIT = re.compile(r"[^!#-+\--~]+")  # blanks, commas, quotes and whatever is not ASCII
_TAKEN = frozenset(("all", "session"))  # these stand for sums and for arrivals
_LONGEST = 80


class PageKinds:
    """Admits the first hundred names; `overflowed` turns true when there were more."""

    def __init__(self, most: int = MOST_KINDS) -> None:
        self._most = most
        self._kinds: dict[str, str] = {}
        self._count = 0
        self.overflowed = False

    def admit(self, name: str) -> str:
        """The page kind for a request's name: the name made fit, or `other`."""
        kind = self._kinds.get(name)
        if kind is None:
            if self._count >= self._most:
                self.overflowed = True
                return OTHER
            kind = self._kinds[name] = _fit(name)
            self._count += 1
        return kind


def _fit(name: str) -> str:
    fit = _UNFIT.sub("-", name.strip())[:_LONGEST] or OTHER
    return fit + "_" if fit in _TAKEN else fit
