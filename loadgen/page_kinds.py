"""Names of requests as page kinds: fit for tags and few, whatever a locustfile calls its requests."""

import re

MOST_KINDS = 100
OTHER = "other"
_UNFIT = re.compile(r"[^!#-+\--~]+")  # blanks, commas, quotes and whatever is not ASCII
SESSION = "session"  # the page kind of arrivals, whose first page nobody knows
_TAKEN = frozenset(("all", SESSION))  # the first stands for sums
_LONGEST = 80


class PageKinds:
    """Admits the first hundred names; `overflowed` turns true when there were more."""

    def __init__(self, most: int = MOST_KINDS) -> None:
        self._most = most
        self._kinds: dict[str, str] = {}
        self.overflowed = False

    def admit(self, name: str) -> str:
        """The page kind for a request's name: the name made fit, or `other`."""
        kind = self._kinds.get(name)
        return kind if kind is not None else self._enter(name, _fit(name))

    def keep(self, kind: str) -> str:
        """The same for what another PageKinds has admitted; `session` stays."""
        return kind if kind in self._kinds or kind == SESSION else self._enter(kind, kind)

    def _enter(self, name: str, kind: str) -> str:
        if len(self._kinds) >= self._most:
            self.overflowed = True
            return OTHER
        self._kinds[name] = kind
        return kind


def _fit(name: str) -> str:
    fit = _UNFIT.sub("-", name.strip())[:_LONGEST] or OTHER
    return fit + "_" if fit in _TAKEN else fit
