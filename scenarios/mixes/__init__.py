"""The mixes by name; a scenario's `mix` is one of these."""

from __future__ import annotations

from scenarios.mix import Mix
from scenarios.mixes import (
    catalogue,
    flash_sale,
    hot_product,
    marketplace,
    query_string_flood,
    stampede,
    tpcw_shopping,
)

MIXES: dict[str, Mix] = {
    mix.name: mix
    for mix in (
        catalogue.MIX,
        flash_sale.MIX,
        hot_product.MIX,
        marketplace.MIX,
        query_string_flood.MIX,
        stampede.MIX,
        tpcw_shopping.MIX,
    )
}
