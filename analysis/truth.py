"""truth.jsonl as one value: the shop's and its payment provider's books; read here, judged by analysis.audit."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from analysis.facts import (
    Charge,
    Coupon,
    GiftCard,
    Movement,
    PriceChange,
    Reservation,
    Sale,
    SaleCustomer,
    Shown,
    Stock,
    Transition,
    TruthOrder,
    TruthPayment,
    instant,
    whole,
)
from loadgen.errors import RunDirectoryProblem
from loadgen.records import Json, read_lines


@dataclass(frozen=True, slots=True)
class Truth:
    """One snapshot; `whole` when its last line says that nothing was cut off, `at` is the instant that it names.

    `charges_known`: the provider's books are among these, even if it charged nobody.
    """

    orders: tuple[TruthOrder, ...] = ()
    payments: tuple[TruthPayment, ...] = ()
    charges: tuple[Charge, ...] = ()
    stock: tuple[Stock, ...] = ()
    movements: tuple[Movement, ...] = ()
    transitions: tuple[Transition, ...] = ()
    coupons: tuple[Coupon, ...] = ()
    gift_cards: tuple[GiftCard, ...] = ()
    reservations: tuple[Reservation, ...] = ()
    sales: tuple[Sale, ...] = ()
    customers: tuple[SaleCustomer, ...] = ()
    shown: tuple[Shown, ...] = ()
    prices: tuple[PriceChange, ...] = ()
    at: float | None = None
    charges_known: bool = False
    whole: bool = True


def read_truth(path: Path) -> Truth | None:
    """The snapshot in `path`, None when there is none; RunDirectoryProblem when a line is not what it says it is."""
    if not path.exists():
        return None
    try:
        return parse_truth(read_lines(path))
    except (KeyError, TypeError, ValueError) as error:
        raise RunDirectoryProblem(f"{path.name} is damaged: a line lacks or garbles {error}") from None


def parse_truth(lines: Iterable[Mapping[str, Json]]) -> Truth:
    """The snapshot that these lines tell; other line types are passed over. KeyError or TypeError for a bad line.

    So is a line of stock that names nothing reserved: another shop's, or one of the first version, whose `sold` meant
    the units of pending orders too.
    """
    gathered = _Gathered()
    seen, end = 0, dict[str, Json]()
    for line in lines:
        if line["type"] == "end":
            end = dict(line)
            continue
        gathered.take(line)
        seen += 1
    return gathered.truth(
        at=instant(end, "at") if end.get("at") is not None else None,
        charges_known=bool(end.get("charges_known", gathered.charges)),
        whole=bool(end) and whole(end, "lines") == seen,
    )


@dataclass(slots=True)
class _Gathered:
    """The lines read so far, by type."""

    orders: list[TruthOrder] = field(default_factory=list)
    payments: list[TruthPayment] = field(default_factory=list)
    charges: list[Charge] = field(default_factory=list)
    stock: list[Stock] = field(default_factory=list)
    movements: list[Movement] = field(default_factory=list)
    transitions: list[Transition] = field(default_factory=list)
    coupons: list[Coupon] = field(default_factory=list)
    gift_cards: list[GiftCard] = field(default_factory=list)
    reservations: list[Reservation] = field(default_factory=list)
    sales: list[Sale] = field(default_factory=list)
    customers: list[SaleCustomer] = field(default_factory=list)
    shown: list[Shown] = field(default_factory=list)
    prices: list[PriceChange] = field(default_factory=list)

    def take(self, line: Mapping[str, Json]) -> None:  # noqa: C901, PLR0912  (one flat table of types)
        match line["type"]:
            case "movement":
                self.movements.append(Movement.read(line))
            case "transition":
                self.transitions.append(Transition.read(line))
            case "order":
                self.orders.append(TruthOrder.read(line))
            case "payment":
                self.payments.append(TruthPayment.read(line))
            case "charge":
                self.charges.append(Charge.read(line))
            case "stock" if "reserved" in line:
                self.stock.append(Stock.read(line))
            case "coupon":
                self.coupons.append(Coupon.read(line))
            case "gift_card":
                self.gift_cards.append(GiftCard.read(line))
            case "reservation":
                self.reservations.append(Reservation.read(line))
            case "sale":
                self.sales.append(Sale.read(line))
            case "customer":
                self.customers.append(SaleCustomer.read(line))
            case "shown":
                self.shown.append(Shown.read(line))
            case "price":
                self.prices.append(PriceChange.read(line))

    def truth(self, *, at: float | None, charges_known: bool, whole: bool) -> Truth:
        return Truth(
            tuple(self.orders),
            tuple(self.payments),
            tuple(self.charges),
            tuple(self.stock),
            tuple(self.movements),
            tuple(self.transitions),
            tuple(self.coupons),
            tuple(self.gift_cards),
            tuple(self.reservations),
            tuple(self.sales),
            tuple(self.customers),
            tuple(self.shown),
            tuple(self.prices),
            at,
            charges_known,
            whole,
        )
