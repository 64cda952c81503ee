"""Reads the ledger as it grows, for whoever must hear of a change soon after it was made."""

from collections.abc import Sequence
from dataclasses import dataclass

from reference_shop.domain.stock import EFFECTS, Movement
from reference_shop.repository.database import Connection

MOST_ENTRIES = 10_000

# A page shows what is on hand: units that only change from reserved to sold leave it as it was.
_SHOWN = ", ".join(f"'{movement}'" for movement in Movement if EFFECTS[movement].on_hand)
_BEFORE = """
    SELECT coalesce((SELECT min(entry_id) - 1 FROM ledger WHERE at >= now() - make_interval(secs => $1)),
                    (SELECT max(entry_id) FROM ledger), 0)"""
_ENTRIES = f"""
    SELECT entry_id, CASE WHEN subject = 'price' OR (subject = 'stock' AND change IN ({_SHOWN}))
                          THEN product_id END AS product_id
    FROM ledger WHERE entry_id > $1 OR entry_id = ANY($2::bigint[]) ORDER BY entry_id LIMIT {MOST_ENTRIES}"""  # noqa: S608


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of the ledger; `product_id` is the product whose page looks different since, None for no page."""

    entry_id: int
    product_id: int | None


async def last_before(connection: Connection, seconds: float) -> int:
    """Return the number after which the entries of the last `seconds` begin, 0 in an empty ledger."""
    entry_id: int = await connection.fetchval(_BEFORE, seconds)
    return entry_id


async def entries(connection: Connection, after: int, awaited: Sequence[int]) -> list[Entry]:
    """Return the entries with a number above `after`, and those of the `awaited` that are there by now, in order.

    At most `MOST_ENTRIES`; the rest is for the next time.
    """
    rows = await connection.fetch(_ENTRIES, after, list(awaited))
    return [Entry(row["entry_id"], row["product_id"]) for row in rows]
