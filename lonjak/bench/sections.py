"""All sections of the bench, in the order in which they are measured: name -> what measures it."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from lonjak.bench.big_run import big_run
from lonjak.bench.cached_page import cached_page
from lonjak.bench.crowd import crowd
from lonjak.bench.memory import memory
from lonjak.bench.rates import plain, tls
from lonjak.bench.schedule import schedule
from lonjak.bench.section import Section, Settings
from lonjak.bench.shop_orders import order_cost
from lonjak.bench.shop_pages import product_page
from lonjak.bench.shop_seeding import seeding
from lonjak.bench.truth_table import truth
from lonjak.bench.visits import session
from lonjak.bench.waf import waf
from lonjak.progress import Progress

SECTIONS: Mapping[str, Callable[[Settings, Progress], Section]] = MappingProxyType(
    {
        "plain": plain,
        "tls": tls,
        "session": session,
        "memory": memory,
        "crowd": crowd,
        "schedule": schedule,
        "truth": truth,
        "product-page": product_page,
        "order-cost": order_cost,
        "seeding": seeding,
        "cached-page": cached_page,
        "waf": waf,
        "big-run": big_run,
    }
)
WITHOUT_NGINX = frozenset({"truth", "product-page", "order-cost", "seeding", "big-run"})
