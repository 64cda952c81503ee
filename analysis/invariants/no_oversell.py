"""Nothing is sold that is not there."""

from collections import Counter, defaultdict

from analysis.facts import Sale
from analysis.invariants.evidence import Evidence
from analysis.invariants.finding import Finding, Notebook


def check(evidence: Evidence) -> Finding:
    """No shelf ever held less than nothing, and no more units went out than came in; nor in a flash sale than it had.

    This is Jepsen's bank checker's "no negative balance" with units for money; overselling by reading the stock
    before taking it is the textbook case of ACIDRain (Warszawski and Bailis, SIGMOD 2017). Units that came back during
    a sale may be sold in it again.

    It cannot see an oversale between two movements that both wrote a count of their own; `stock_balance` does.
    """
    notes = Notebook("no_oversell", "product")
    truth = evidence.truth
    negative = {entry.product_id for entry in truth.movements if entry.on_hand_after < 0}
    negative |= {stock.product_id for stock in truth.stock if stock.on_hand < 0}
    for product_id in sorted(negative):
        notes.violated(f"product {product_id}", "with fewer than no units on the shelf")
    for stock in truth.stock:
        if stock.sold - stock.returned + stock.reserved > stock.initial and stock.product_id not in negative:
            notes.violated(f"product {stock.product_id}", "given out more often than it was there")
    returned = _returned(evidence)
    for sale in truth.sales:
        if sale.sold_count > sale.units + returned[sale.sale_id]:
            notes.violated(f"sale {sale.sale_id} of product {sale.product_id}", "sold beyond its units", "flash sale")
    products = {entry.product_id for entry in truth.movements} | {stock.product_id for stock in truth.stock}
    return notes.finding(len(products | {sale.product_id for sale in truth.sales}))


def _returned(evidence: Evidence) -> Counter[int]:
    """Units that came back since each sale began, by sale."""
    sales: defaultdict[int, list[Sale]] = defaultdict(list)
    for sale in evidence.truth.sales:
        sales[sale.product_id].append(sale)
    found: Counter[int] = Counter()
    for entry in evidence.truth.movements if sales else ():
        if entry.change == "return":
            for sale in sales.get(entry.product_id, ()):
                found[sale.sale_id] += entry.quantity if entry.at >= sale.starts_at else 0
    return found
