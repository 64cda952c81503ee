"""An answer of a shop as a storefront's page readers get it, and how they refuse one. Pure.

A *reader* turns an Answer into what was asked for, or raises ContentMismatch; `scenarios.browser` makes a failed
sample of that.
"""

from __future__ import annotations

from dataclasses import dataclass


class ContentMismatch(Exception):
    """The answer is not what was asked for; one sentence without ids, so that equal failures count together."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, the headers that matter to a reader (empty when absent), and the body as text."""

    status: int
    page_kind: str
    location: str
    html: str
    refresh: str = ""


def require(condition: bool, sentence: str) -> None:
    """Raises ContentMismatch with the sentence unless the condition holds."""
    if not condition:
        raise ContentMismatch(sentence)
