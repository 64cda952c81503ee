"""summary.md of a hand-made run, whole."""

from dataclasses import replace

import pytest

from analysis.run import analyse
from reports import markdown
from tests.recorded_run import edge_lab, foreign_to_every_log, ordinary

EXPECTED = """\
## ❌ Fail: evening

With up to 1 shopper arriving per second, the shop missed 1 of 2 objectives \
(failed requests, all requests: 12.5 %, not &lt; 1 %), \
recovered from the fault at 0:25 (kill worker shop-1) in 5.8 s, and lost 1 acknowledged order.

- 1 order acknowledged to a shopper but not paid in the shop&#39;s books: order 5.
- failed_ratio is 0.125, not &lt; 0.01.

| | objective | measured | asked |
|---|---|---:|---:|
| ❌ | failed requests, all requests | 12.5 % | &lt; 1 % |
| ✅ | p95 response time, all requests | 20 ms | &lt; 300 ms |

| | audit | checked |
|---|---|---:|
| ❌ | Every order that a shopper was told of is paid, and no other is<br>1 order acknowledged to a shopper but not \
paid in the shop&#39;s books: order 5. | 16 orders |
| ✅ | Nobody was charged twice | 15 orders |
| ✅ | Every order cost what its shopper agreed to | 15 orders |
| ✅ | Everybody got what was in their own cart | 15 orders |
| – | 8 more that the shop's books told nothing of | – |

| | edge and caches | |
|---|---|---|
|  | What did the edge save? | Caches answered 80 % of shoppers&#39; requests. The shop answered 300 requests that \
shoppers waited for: an offload of 57.1 %. |
| ❔ | Is it safe? | No page was searched for what identifies another visitor: a leak would have gone unseen. |

| figure | |
|---|---:|
| requests | 1,200; 20 per second in the steady phase |
| failed | 100, 12.5 % of the steady phase's |
| response time p50, p95, p99 | 20 ms, 20 ms, 20 ms |
| shoppers | 60, 0 left out of patience |
| orders | 16; 990 per hour in the steady phase |
| cache hit ratio | 80 % of cacheable requests |
| kill worker shop-1 at 0:25 | The objectives broke, and held again 5.8 s after it. |
| generator | The generator kept up in all 40 seconds. |

http://127.0.0.1:8080 through edge nginx, 2026-11-23 08:15:00 UTC. Repeat with: lonjak run evening --seed 7

The evidence: [report.html](report.html)
"""


def test_a_failed_run_reads_so(tmp_path):
    history = ordinary()
    history.event(25.25, "fault_started", fault="kill-worker", tier="shop", role="shop-1", pid=9)
    history.event(27.0, "fault_ended", fault="kill-worker", tier="shop", role="shop-1", pid=10)
    history.outage(26, 31)
    history.order(5)
    rendered = markdown.render(analyse(history.write(tmp_path)))
    assert rendered.replace("\u00a0", " ") == EXPECTED


def test_without_an_order_the_audit_is_a_line(tmp_path):
    history = ordinary()
    history.truth = None
    history.ledger.clear()
    lines = markdown.render(analyse(history.write(tmp_path))).splitlines()
    assert [line for line in lines if "audit" in line] == [
        "| audit | No order was placed, so there was nothing to audit. |"
    ]


def test_a_leak_stands_in_the_reasons_and_beside_its_question(tmp_path):
    lines = markdown.render(analyse(edge_lab().write(tmp_path))).splitlines()
    assert lines[0] == "## ❌ Fail: evening"
    assert lines[2].endswith("lost no acknowledged order, and let 4 leaks through its caches.")
    assert lines[4] == "- A personal page was given to somebody else: 2 of 360 checks, first /cart."
    assert [line[:25] for line in lines if "Is it safe?" in line] == ["| ❌ | Is it safe? | A per"]


def test_a_shop_without_caches_and_logs_is_not_asked_about_them(tmp_path):
    history = foreign_to_every_log()
    history.cacheable.clear()
    assert "edge and caches" not in markdown.render(analyse(history.write(tmp_path)))


def test_a_name_with_a_bar_stays_in_its_cell(tmp_path):
    history = ordinary()
    history.event(25.25, "fault_started", fault="a|b", role="c\nd")
    lines = markdown.render(analyse(history.write(tmp_path))).splitlines()
    assert [line for line in lines if line.startswith("| a¦")] == [
        "| a¦b c d at 0:25 | The objectives held throughout: shoppers did not notice. |"
    ]


@pytest.mark.parametrize(
    ("load", "begins"),
    [
        ({"arrivals": "trace", "rate_per_s": 1.5}, "With on average 1.5 shoppers arriving per second"),
        ({"model": "closed", "rate_per_s": 0.0, "users": 20}, "With 20 users in a loop"),
    ],
)
def test_the_answer_names_the_load_as_it_was_offered(tmp_path, load, begins):
    history = ordinary()
    history.manifest = replace(history.manifest, plan=replace(history.manifest.plan, **load))
    assert begins in markdown.render(analyse(history.write(tmp_path)))
