"""What holding one invariant against the books comes to."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Literal

from loadgen.records import Json

AuditOutcome = Literal["pass", "fail", "unknown", "none"]
# A sentence names this many, however many there are.
_EXAMPLES = 3


@dataclass(frozen=True, slots=True)
class Group:
    """Orders (or products, charges, …) of which the same is wrong, or open; `examples` names the first of them."""

    count: int
    noun: str
    what: str
    examples: tuple[str, ...]

    @property
    def told(self) -> str:
        """How many, what, and which: `2 orders charged more than once: order 5, order 7`."""
        more = self.count - len(self.examples)
        named = ", ".join(self.examples) + (f" and {more:,} more" if more > 0 else "")
        return f"{counted(self.count, self.noun)} {self.what}" + (f": {named}" if self.examples else "")


@dataclass(frozen=True, slots=True)
class Finding:
    """An invariant, and what breaks it or leaves it open.

    `checked_count` is how many were held against the books (`noun` says of what), None when the books told nothing to
    check the invariant by; `note` is what was left unchecked of it.
    """

    invariant: str
    noun: str
    checked_count: int | None
    violations: tuple[Group, ...] = ()
    unresolved: tuple[Group, ...] = ()
    note: str = ""

    @property
    def violations_count(self) -> int:
        """How many break it."""
        return sum(group.count for group in self.violations)

    @property
    def unresolved_count(self) -> int:
        """Of how many it cannot be told."""
        return sum(group.count for group in self.unresolved)

    @property
    def outcome(self) -> AuditOutcome:
        """`none` when it was not checked."""
        if self.violations:
            return "fail"
        if self.unresolved:
            return "unknown"
        return "none" if self.checked_count is None else "pass"

    @property
    def violated(self) -> str:
        """What breaks it in one sentence, empty when nothing does."""
        return _sentence(self.violations)

    @property
    def doubt(self) -> str:
        """What leaves it open in one sentence, empty when nothing does."""
        return _sentence(self.unresolved)

    def doubted(self, why: str) -> "Finding":
        """The same finding from books that prove nothing: all that it looked at is open."""
        if not self.checked_count:
            return Finding(self.invariant, self.noun, None)
        return Finding(
            self.invariant, self.noun, self.checked_count, unresolved=(Group(self.checked_count, self.noun, why, ()),)
        )

    def as_json(self) -> dict[str, Json]:
        """The finding as it stands in summary.json."""
        return {
            "checked_count": self.checked_count,
            "violations_count": self.violations_count,
            "unresolved_count": self.unresolved_count,
        }


@dataclass(slots=True)
class _Kind:
    counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    examples: dict[tuple[str, str], list[str]] = field(default_factory=dict)

    def note(self, noun: str, name: str, what: str) -> None:
        self.counts[noun, what] += 1
        named = self.examples.setdefault((noun, what), [])
        if len(named) < _EXAMPLES:
            named.append(name)

    def groups(self) -> tuple[Group, ...]:
        return tuple(
            Group(count, noun, what, tuple(self.examples[noun, what])) for (noun, what), count in self.counts.items()
        )


class Notebook:
    """Takes down what breaks an invariant or leaves it open, while a check goes through the books."""

    def __init__(self, invariant: str, noun: str) -> None:
        """`noun` is what the invariant is about: order, product, …"""
        self._invariant = invariant
        self._noun = noun
        self._violations = _Kind()
        self._unresolved = _Kind()

    def violated(self, name: str, what: str, noun: str | None = None) -> None:
        """Note that something breaks the invariant; `what` reads after one or many: `charged more than once`."""
        self._violations.note(noun or self._noun, name, what)

    def open(self, name: str, what: str, noun: str | None = None) -> None:
        """Note that of something it cannot be told."""
        self._unresolved.note(noun or self._noun, name, what)

    def finding(self, checked_count: int, note: str = "", *, none_is_right: bool = False) -> Finding:
        """What was taken down; 0 checked means that it was not checked, unless there being none is as it must be."""
        return Finding(
            self._invariant,
            self._noun,
            checked_count if checked_count or none_is_right else None,
            self._violations.groups(),
            self._unresolved.groups(),
            note,
        )


def counted(count: int, noun: str) -> str:
    """A number with its noun: 1 order, 2,000 orders."""
    return f"1 {noun}" if count == 1 else f"{count:,} {noun}s"


def _sentence(groups: tuple[Group, ...]) -> str:
    return "; ".join(group.told for group in groups) + "." if groups else ""
