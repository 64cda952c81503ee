"""truth.jsonl as values: orders and payments as the shop reported them; read here, judged by analysis.audit."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from loadgen.errors import RunDirectoryProblem
from loadgen.records import Json, read_lines


@dataclass(frozen=True, slots=True)
class TruthOrder:
    """An order in the shop's books; `state` is paid, pending or cancelled."""

    order_id: int
    idempotency_key: str | None
    state: str
    total_idr: int


@dataclass(frozen=True, slots=True)
class TruthPayment:
    """An answer of the payment provider; `state` is captured or declined."""

    idempotency_key: str | None
    order_id: int | None
    amount_idr: int
    state: str


@dataclass(frozen=True, slots=True)
class Truth:
    """One snapshot; `whole` when its last line says that nothing was cut off."""

    orders: tuple[TruthOrder, ...] = ()
    payments: tuple[TruthPayment, ...] = ()
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
    """The snapshot that these lines tell; other line types are passed over. KeyError or TypeError for a bad line."""
    orders: list[TruthOrder] = []
    payments: list[TruthPayment] = []
    seen, announced = 0, None
    for line in lines:
        match line["type"]:
            case "order":
                orders.append(
                    TruthOrder(_whole(line["order_id"]), _key(line), str(line["state"]), _whole(line["total_idr"]))
                )
            case "payment":
                order_id = line.get("order_id")
                payments.append(
                    TruthPayment(
                        _key(line),
                        None if order_id is None else _whole(order_id),
                        _whole(line["amount_idr"]),
                        str(line["state"]),
                    )
                )
            case "end":
                announced = _whole(line["lines"])
                continue
        seen += 1
    return Truth(tuple(orders), tuple(payments), whole=announced == seen)


def _key(line: Mapping[str, Json]) -> str | None:
    key = line.get("idempotency_key")
    return None if key is None else str(key)


def _whole(value: Json) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f"a whole number: {value!r}")
    return value
