"""Every unit is somewhere: on the shelf, reserved or sold, and the ledger of stock tells how it got there."""

from analysis.facts import Movement
from analysis.invariants.evidence import Evidence
from analysis.invariants.finding import Finding, Notebook

# What one unit's movement does to the shelf.
SHELF = {"deliver": 1, "withdraw": -1, "reserve": -1, "release": 1, "sell": 0, "return": 1}


def check(evidence: Evidence) -> Finding:
    """On hand + reserved + sold - returned = initial; what is reserved is what orders and reservations hold.

    And the movements of a product, in the order of their entries (its row's lock makes that the order of the writes),
    form a chain: each leaves on hand what the one before left, changed by its own units, and the last what is there
    now. This is Jepsen's bank checker (the sum never changes); a break in the chain is the lost update of ACIDRain
    (Warszawski and Bailis, SIGMOD 2017), also where a later one made the sum come right.

    It cannot see what happened to a product before its first movement in the books, nor check a movement of a kind that
    is none of `SHELF`; a unit moved twice in both stock and ledger looks right.
    """
    notes = Notebook("stock_balance", "product")
    last, broken = _chains(evidence)
    for stock in evidence.truth.stock:
        name = f"product {stock.product_id}"
        if stock.on_hand + stock.reserved + stock.sold - stock.returned != stock.initial:
            notes.violated(name, "whose units on hand, reserved and sold are not those that came in")
        if stock.reserved != stock.held:
            notes.violated(name, "with other units reserved than orders and reservations hold")
        moved = last.get(stock.product_id)
        if moved is not None and moved.on_hand_after != stock.on_hand:
            broken.add(stock.product_id)
        elif moved is None and last and stock.moved_at >= evidence.since:
            notes.violated(name, "moved without an entry in the ledger of stock")
    for product_id in sorted(broken):
        notes.violated(f"product {product_id}", "with a break in the ledger of stock (a lost update)")
    return notes.finding(len(last.keys() | {stock.product_id for stock in evidence.truth.stock}))


def _chains(evidence: Evidence) -> tuple[dict[int, Movement], set[int]]:
    """The last movement of each product, and the products whose movements do not follow from each other."""
    last: dict[int, Movement] = {}
    broken: set[int] = set()
    for entry in sorted(evidence.truth.movements, key=lambda entry: entry.entry_id):
        before = last.get(entry.product_id)
        if before is not None and not _follows(entry, before):
            broken.add(entry.product_id)
        last[entry.product_id] = entry
    return last, broken


def _follows(entry: Movement, before: Movement) -> bool:
    effect = SHELF.get(entry.change)
    return effect is None or entry.on_hand_after == before.on_hand_after + effect * entry.quantity
