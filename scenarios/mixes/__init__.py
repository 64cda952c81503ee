"""The mixes by name; a scenario's `mix` is one of these."""

from __future__ import annotations

from scenarios.mix import Mix
from scenarios.mixes import flash_sale, marketplace, tpcw_shopping

MIXES: dict[str, Mix] = {mix.name: mix for mix in (flash_sale.MIX, marketplace.MIX, tpcw_shopping.MIX)}
