"""A shop of a hundred lines that never errs: what it tells its shoppers and its books, for the audit to hold together.

It is the audit's oracle: written from docs/run-format.md alone, it shares no code with what it tests.
"""

from dataclasses import replace

from analysis.audit import Audit, audit
from analysis.truth import parse_truth
from loadgen.records import Json, LedgerLine

SINCE = 1_000_000.0
Line = dict[str, Json]
_EFFECTS = {  # on initial, on_hand, reserved, sold, returned
    "deliver": (1, 1, 0, 0, 0),
    "withdraw": (-1, -1, 0, 0, 0),
    "reserve": (0, -1, 1, 0, 0),
    "release": (0, 1, -1, 0, 0),
    "sell": (0, 0, -1, 1, 0),
    "return": (0, 1, 0, 0, 1),
}
_COUNTS = ("initial", "on_hand", "reserved", "sold", "returned")


class LittleShop:
    """Every act takes a second; `books` are the lines of truth.jsonl, ten seconds after the last."""

    def __init__(self, *, products: int = 4, units: int = 50, since: float = SINCE) -> None:
        self.since = since
        self.now = since + 20
        self.ledger: list[LedgerLine] = []
        self.orders: dict[int, Line] = {}
        self.payments: dict[int, Line] = {}
        self.charges: dict[int, Line] = {}
        self.movements: list[Line] = []
        self.transitions: list[Line] = []
        self.coupons: dict[str, Line] = {}
        self.gift_cards: dict[int, Line] = {}
        self.sales: dict[int, Line] = {}
        self.reservations: dict[int, Line] = {}
        self.stock = {
            product: {**dict.fromkeys(_COUNTS, 0), "initial": units, "on_hand": units, "moved_at": 0.0}
            for product in range(1, products + 1)
        }

    # What happens.

    def move(self, change: str, product: int, quantity: int, order_id: int | None = None) -> None:
        """Units move, and the ledger of stock says so."""
        stock = self.stock[product]
        for name, effect in zip(_COUNTS, _EFFECTS[change], strict=True):
            stock[name] += effect * quantity
        stock["moved_at"] = self.now
        self.movements.append(
            {
                "type": "movement",
                "entry_id": len(self.movements) + 7,
                "at": self.now,
                "product_id": product,
                "change": change,
                "quantity": quantity,
                "on_hand_after": stock["on_hand"],
                "order_id": order_id,
            }
        )

    def buy(
        self,
        items: dict[int, int],
        *,
        ends: str = "paid",
        told: str | None = "ok",
        coupon: str | None = None,
        gift_card: int | None = None,
        kept: tuple[int, ...] = (),
    ) -> int:
        """An order that `ends` paid, cancelled (declined), pending, or pending and charged.

        Its shopper is `told` ok, ok when asking again (retried), or unknown; None: there was no shopper.
        `kept` are reservations whose units it takes; the others come from the shelf.
        """
        self.now += 1
        order_id = 501 + len(self.orders)
        self.orders[order_id] = order = self._priced(order_id, items, coupon, gift_card)
        self._step(order_id, "pending")
        if coupon is not None:
            self.coupons[coupon]["used_count"] += 1
        if gift_card is not None:
            self.gift_cards[gift_card]["balance_idr"] -= order["gift_idr"]
        held = {self.reservations[one]["product_id"] for one in kept}
        for one in kept:
            self.reservations[one] |= {"state": "ordered", "order_id": order_id}
        for product, quantity in items.items():
            if product not in held:
                self.move("reserve", product, quantity, order_id)
        if ends != "pending" and order["charge_idr"]:
            self._charge(order, "declined" if ends == "cancelled" else "captured")
        if ends in ("paid", "cancelled"):
            self._settle(order, ends, items, kept)
        if told is not None:
            self._tell(order, items, "fail" if ends == "cancelled" else told)
        return order_id

    def send_back(self, order_id: int, *, until: str = "returned") -> None:
        """A paid order goes back, `until` it is returning, its money was given back, or it is returned."""
        self.now += 1
        self._step(order_id, "returning")
        if until == "returning":
            return
        self.charges[order_id] |= {"state": "refunded", "at": self.now}
        if until == "returned":
            self._step(order_id, "returned")
            self.payments[order_id]["state"] = "refunded"
            if (card := self.orders[order_id]["gift_card_id"]) is not None:
                self.gift_cards[card]["balance_idr"] += self.orders[order_id]["gift_idr"]
            for line in self.orders[order_id]["lines"]:
                self.move("return", line["product_id"], line["quantity"], order_id)

    def refuse(self, items: dict[int, int]) -> None:
        """A shopper is told no, and nothing happens."""
        self.now += 1
        self.ledger.append(
            LedgerLine(self.now, "place_order", "fail", len(self.ledger), f"refused-{self.now}", None, 1, _pairs(items))
        )

    def offer_coupon(self, code: str, *, allowed: int, amount_idr: int) -> str:
        """A coupon."""
        self.coupons[code] = {"code": code, "allowed_count": allowed, "used_count": 0, "amount_idr": amount_idr}
        return code

    def offer_gift_card(self, balance_idr: int) -> int:
        """A gift card."""
        number = 31 + len(self.gift_cards)
        self.gift_cards[number] = {"gift_card_id": number, "initial_idr": balance_idr, "balance_idr": balance_idr}
        return number

    def offer_sale(self, product: int, *, units: int, limit: int) -> int:
        """A flash sale, for which the shelf holds just its units."""
        self.now += 1
        missing = units - self.stock[product]["on_hand"]
        if missing:
            self.move("deliver" if missing > 0 else "withdraw", product, abs(missing))
        number = 11 + len(self.sales)
        self.sales[number] = {
            "sale_id": number,
            "product_id": product,
            "units": units,
            "limit_per_customer": limit,
            "starts_at": self.now,
        }
        return number

    def hold(self, sale: int, customer: str, quantity: int = 1) -> int:
        """A customer reserves units of a flash sale, for a minute beyond the end."""
        self.now += 1
        number = 71 + len(self.reservations)
        product = self.sales[sale]["product_id"]
        self.move("reserve", product, quantity)
        self.reservations[number] = {
            "reservation_id": number,
            "sale_id": sale,
            "product_id": product,
            "customer": customer,
            "quantity": quantity,
            "state": "held",
            "expires_at": self.now + 600,
        }
        return number

    def let_go(self, reservation: int) -> None:
        """A reservation's time is up."""
        self.now += 1
        held = self.reservations[reservation]
        held["state"] = "expired"
        self.move("release", held["product_id"], held["quantity"])

    # What is told of it.

    @property
    def books(self) -> list[Line]:
        """The lines of truth.jsonl but for its end."""
        return [
            *(_order_line(order) for order in self.orders.values()),
            *({"type": "payment", **payment} for payment in self.payments.values()),
            *self._stock_lines(),
            *(dict(line) for line in (*self.movements, *self.transitions)),
            *self._voucher_lines(),
            *self._sale_lines(),
            *({"type": "charge", **charge} for charge in self.charges.values()),
        ]

    def audit(self, books: list[Line] | None = None, **end: Json) -> Audit:
        """The audit of its ledger and books; `end` changes the last line."""
        books = self.books if books is None else books
        last = {"type": "end", "lines": len(books), "at": self.now + 10, "charges_known": True}
        return audit(self.ledger, parse_truth([*books, {**last, **end}]), since=self.since)

    # How.

    def _priced(self, order_id: int, items: dict[int, int], coupon: str | None, gift_card: int | None) -> Line:
        lines = [{"product_id": one, "quantity": count, "price_idr": 1000 * one} for one, count in items.items()]
        sum_idr = sum(line["quantity"] * line["price_idr"] for line in lines)
        discount_idr = min(self.coupons[coupon]["amount_idr"], sum_idr - 1) if coupon else 0
        total_idr = sum_idr - discount_idr
        gift_idr = min(self.gift_cards[gift_card]["balance_idr"], total_idr) if gift_card else 0
        return {
            "order_id": order_id,
            "idempotency_key": f"k{order_id}",
            "state": None,
            "discount_idr": discount_idr,
            "total_idr": total_idr,
            "gift_idr": gift_idr,
            "charge_idr": total_idr - gift_idr,
            "coupon": coupon,
            "gift_card_id": gift_card,
            "account_id": None,
            "placed_at": self.now,
            "lines": lines,
        }

    def _step(self, order_id: int, after: str) -> None:
        before, self.orders[order_id]["state"] = self.orders[order_id]["state"], after
        entry = {"type": "transition", "entry_id": len(self.transitions) + 3, "at": self.now, "order_id": order_id}
        self.transitions.append({**entry, "from": before, "to": after})

    def _charge(self, order: Line, state: str) -> None:
        self.charges[order["order_id"]] = {
            "idempotency_key": order["idempotency_key"],
            "order_id": order["order_id"],
            "amount_idr": order["charge_idr"],
            "state": state,
            "at": self.now,
        }

    def _settle(self, order: Line, ends: str, items: dict[int, int], kept: tuple[int, ...]) -> None:
        order_id = order["order_id"]
        self._step(order_id, ends)
        if order_id in self.charges:
            names = ("idempotency_key", "order_id", "amount_idr", "state")
            self.payments[order_id] = {name: self.charges[order_id][name] for name in names}
        for one in kept:
            self.reservations[one]["state"] = "bought" if ends == "paid" else "held"
        held = {self.reservations[one]["product_id"] for one in kept}
        for product, quantity in items.items():
            if ends == "paid":
                self.move("sell", product, quantity, order_id)
            elif product not in held:
                self.move("release", product, quantity, order_id)
        if ends == "cancelled" and order["coupon"] is not None:
            self.coupons[order["coupon"]]["used_count"] -= 1
        if ends == "cancelled" and order["gift_card_id"] is not None:
            self.gift_cards[order["gift_card_id"]]["balance_idr"] += order["gift_idr"]

    def _tell(self, order: Line, items: dict[int, int], outcome: str) -> None:
        retried, outcome = outcome == "retried", "ok" if outcome == "retried" else outcome
        line = LedgerLine(
            at=self.now,
            action="place_order",
            outcome=outcome,
            session=order["order_id"],
            idempotency_key=order["idempotency_key"],
            order_id=order["order_id"] if outcome == "ok" else None,
            amount_idr=order["total_idr"],
            items=_pairs(items),
        )
        if retried:
            self.ledger.append(replace(line, outcome="unknown", order_id=None, at=self.now - 0.5))
        self.ledger.append(line)

    def _stock_lines(self) -> list[Line]:
        moved = {product: stock for product, stock in self.stock.items() if stock["moved_at"]}
        held = dict.fromkeys(moved, 0)
        for order in self.orders.values():
            for line in order["lines"] if order["state"] == "pending" else ():
                held[line["product_id"]] += line["quantity"]
        for one in self.reservations.values():
            held[one["product_id"]] += one["quantity"] if one["state"] == "held" else 0
        told = [{"type": "stock", "product_id": one, **stock, "held": held[one]} for one, stock in moved.items()]
        shown = [
            {
                "type": "shown",
                "product_id": one,
                "shown": stock["on_hand"],
                "on_hand": stock["on_hand"],
                "moved_at": stock["moved_at"],
                "shown_at": self.now + 10.1,
            }
            for one, stock in moved.items()
        ]
        return told + shown

    def _voucher_lines(self) -> list[Line]:
        standing = [order for order in self.orders.values() if order["state"] != "cancelled"]
        for code, coupon in self.coupons.items():
            coupon["order_count"] = sum(order["coupon"] == code for order in standing)
        for number, card in self.gift_cards.items():
            card["spent_idr"] = sum(
                order["gift_idr"]
                for order in standing
                if order["gift_card_id"] == number and order["state"] != "returned"
            )
        return [
            *({"type": "coupon", **coupon} for coupon in self.coupons.values()),
            *({"type": "gift_card", **card} for card in self.gift_cards.values()),
        ]

    def _sale_lines(self) -> list[Line]:
        customers: dict[tuple[int, str], int] = {}
        sold = dict.fromkeys(self.sales, 0)
        for one in self.reservations.values():
            if one["state"] in ("held", "ordered", "bought"):
                owner = one["sale_id"], one["customer"]
                customers[owner] = customers.get(owner, 0) + one["quantity"]
            sold[one["sale_id"]] += one["quantity"] if one["state"] in ("ordered", "bought") else 0
        return [
            *({"type": "reservation", **one} for one in self.reservations.values() if one["state"] == "held"),
            *({"type": "sale", **sale, "sold_count": sold[number]} for number, sale in self.sales.items()),
            *(
                {"type": "customer", "sale_id": sale, "customer": customer, "units": units}
                for (sale, customer), units in customers.items()
            ),
        ]


def _order_line(order: Line) -> Line:
    return {"type": "order", **order, "lines": [dict(line) for line in order["lines"]]}


def _pairs(items: dict[int, int]) -> tuple[tuple[int, int], ...]:
    return tuple(items.items())


def two_orders() -> LittleShop:
    """A shop that sold two orders: 501 of two products, 502 of one."""
    shop = LittleShop()
    shop.buy({1: 2, 2: 1})
    shop.buy({1: 1})
    return shop


def sentence(found: Audit, invariant: str) -> str:
    """What an audit tells of an invariant that is broken or open."""
    (finding,) = (one for one in found.findings if one.invariant == invariant)
    return finding.violated or finding.doubt


def broken(found: Audit) -> dict[str, int]:
    """The invariants with violations, and how many."""
    return {one.invariant: one.violations_count for one in found.findings if one.violations}


def open_(found: Audit) -> dict[str, int]:
    """The invariants that are open, and of how many."""
    return {one.invariant: one.unresolved_count for one in found.findings if one.unresolved}


def passed(found: Audit) -> set[str]:
    """The invariants that were checked and held."""
    return {one.invariant for one in found.findings if one.outcome == "pass"}
