"""What stood between shoppers and shop, in words: the answers that open the chapter, and the names of checks."""

from dataclasses import dataclass

from analysis.run import Analysis
from analysis.safety import Check
from analysis.staleness import Staleness
from reports.wording import count, decimal, number, percent

# What must hold, in the words of somebody who has a shop.
CHECKS = {
    "visitor": "Nobody was shown a page with somebody else's secret in it",
    "set-cookie": "No cache handed out a cookie",
    "deception": "No personal page is kept under an address that looks public",
    "poisoning": "No header of one visitor changes what others are shown",
    "method-override": "No header makes a cache keep the answer to another method",
    "oversized-header": "No header makes a cache keep an error",
}
CACHE_WORDS = ("hit", "stale", "collapsed", "miss", "expired", "revalidated", "bypass", "local")


@dataclass(frozen=True, slots=True)
class Answer:
    """A question about the edge, how it came out (pass, fail, unknown, none) and in which words."""

    question: str
    outcome: str
    word: str
    sentence: str


def check_words(check: Check) -> str:
    """What a check holds, its bare name for one that nobody has put into words."""
    return CHECKS.get(check.name, check.name)


def answers(analysis: Analysis) -> tuple[Answer, ...]:
    """What the edge saved, whether it is safe, and whether the numbers agree; only what can be asked of this run."""
    asked = (_saved(analysis), _safe(analysis), _adds_up(analysis))
    return tuple(answer for answer in asked if answer is not None)


def late(stale: Staleness) -> str:
    """How long after a change shoppers went on seeing what had been before."""
    changes = f"{count(stale.changes_count)} changes of price or stock to products that were looked at later"
    if not stale.changes_count:
        return "No product that was looked at later changed its price or stock."
    if stale.p50_s is None:
        return f"Of {changes}, none was seen late, as far as whole seconds tell."
    return (
        f"Of {changes}, {count(stale.stale_seen_count)} were seen late: "
        f"old pages were given out for {decimal(stale.p50_s)} s in the median, {decimal(stale.max_s)} s at most."
    )


def _saved(analysis: Analysis) -> Answer:
    share = number(analysis.summary, "cache", "origin_offload_ratio")
    load = analysis.network.origin
    if share is None:
        told = "No response carried a Cache-Status, so that no cache is known to have been at work."
    else:
        told = f"Caches answered {percent(share)} of shoppers' requests."
    if load is not None:
        told += f" The shop answered {count(load.client_count)} requests that shoppers waited for"
        told += f", and {count(load.background_count)} more behind something stale" if load.background_count else ""
        told += f": an offload of {percent(load.offload_ratio)}." if load.offload_ratio is not None else "."
    elif share is not None:
        told += " The shop's own log is not there, so that what reached it is not known."
    return Answer("What did the edge save?", "none", "", told)


def _safe(analysis: Analysis) -> Answer | None:
    safety = analysis.safety
    if safety.violations:
        return Answer("Is it safe?", "fail", "no", " ".join(safety.violations))
    checked = count(sum(check.checked_count for check in safety.checks))
    if not safety.searched_count and number(analysis.summary, "cache", "request_hit_ratio") is not None:
        found = f"{checked} other checks found nothing, but no" if safety.checks else "No"
        told = f"{found} page was searched for what identifies another visitor: a leak would have gone unseen."
        return Answer("Is it safe?", "unknown", "not checked", told)
    if not safety.checks:
        return None
    return Answer("Is it safe?", "pass", "yes", f"Nothing was found where it does not belong, in {checked} checks.")


def _adds_up(analysis: Analysis) -> Answer | None:
    account = analysis.network.reconciliation
    if account is None:
        return None
    outcome, word = ("pass", "yes") if account.explained else ("unknown", "not explained")
    return Answer("Do the numbers agree?", outcome, word, account.sentence)
