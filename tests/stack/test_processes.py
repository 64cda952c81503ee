"""How the programs of a stack are launched: what settings, throttles and defects make of their commands and inputs."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from reference_shop.edges import EdgeOptions
from reference_shop.protections import PROTECTIONS
from reference_shop.stack import ports
from reference_shop.stack.child import METRICS_VARIABLE, ProcessSpec
from reference_shop.stack.database_part import Database
from reference_shop.stack.document import PurgeDoor
from reference_shop.stack.doors import open_edge_doors, open_shop_doors
from reference_shop.stack.folder import StackFolder, claim
from reference_shop.stack.processes import ShopProcesses
from reference_shop.stack.programs import program
from reference_shop.stack.proxies import by_way_of, server_of
from reference_shop.stack.settings import StackSettings, default_run_as
from tests.stack.conftest import small


@pytest.fixture
def folder(state_dir: Path) -> Iterator[StackFolder]:
    claimed = claim(state_dir, 2, default_run_as(), lambda _path: None)
    yield claimed
    claimed.remove()


Make = Callable[[StackSettings], ShopProcesses]


@pytest.fixture
def processes(folder: StackFolder) -> Iterator[Make]:
    """Makes what builds the processes of a stack; nothing is started."""
    with ExitStack() as stack:

        def make(settings: StackSettings) -> ShopProcesses:
            before = open_edge_doors(settings, ports.listen())
            doors = open_shop_doors(settings, before)
            behind = (before.link, doors.shop, doors.payment, doors.database_throttle)
            for door in (*before.public, *before.edge, *before.inner.values(), *behind):
                if door:
                    stack.enter_context(door)
            return ShopProcesses(
                settings=settings,
                folder=folder,
                database=Database(
                    url="postgresql://a:b@127.0.0.1:5/shop",
                    shop_url="postgresql://a:b@127.0.0.1:6/shop",
                    schema="shop",
                ),
                ops_token="secret",
                doors=doors,
                images=folder.path,
            )

        yield make


def told(spec: ProcessSpec, *names: str) -> list[object]:
    assert spec.settings is not None
    return [spec.settings.get(name) for name in names]


LIMITS = ("concurrency", "delay_ms", "max_connections", "protections")


def test_programs_keep_to_their_own_defaults_where_nothing_was_chosen(processes: Make) -> None:
    plain = processes(small())
    assert told(plain.shop_worker(1), *LIMITS) == [None] * 4
    assert told(plain.payment(), *LIMITS) == [None] * 4
    assert told(plain.seed(), "past_orders") == [None]


def test_a_limit_of_the_shop_is_divided_among_its_workers_and_a_delay_is_not(processes: Make) -> None:
    throttles = ("shop.concurrency=7", "shop.delay-ms=2.5", "database.concurrency=7")
    workers = processes(small(workers=3, throttles=throttles))
    for number in (1, 2, 3):
        assert told(workers.shop_worker(number), *LIMITS) == [3, 2.5, 2, None]


def test_every_worker_has_a_database_session_however_few_there_are(processes: Make) -> None:
    workers = processes(small(workers=3, throttles=("database.concurrency=1",)))
    assert told(workers.shop_worker(1), "max_connections") == [1]


def test_the_payment_provider_has_limits_of_its_own(processes: Make) -> None:
    provider = processes(small(throttles=("payment.concurrency=7", "payment.delay-ms=20"))).payment()
    assert told(provider, *LIMITS) == [7, 20, None, None]


def test_workers_are_told_the_protections_that_are_left(processes: Make) -> None:
    worker = processes(small(without=("waiting-room",))).shop_worker(1)
    assert told(worker, "protections") == [[name for name in PROTECTIONS if name != "waiting-room"]]
    assert told(processes(small(without=("all",))).shop_worker(1), "protections") == [[]]


def test_the_seed_is_told_of_past_orders(processes: Make) -> None:
    assert told(processes(small(past_orders=7)).seed(), "past_orders") == [7]


def test_shop_and_back_office_go_by_way_of_the_throttle_and_the_seed_does_not(processes: Make) -> None:
    made = processes(small(changes_per_s=0.5))
    specs = (made.seed(), made.shop_worker(1), made.backoffice())
    assert [told(spec, "database_url")[0] for spec in specs] == [
        made.database.url,
        made.database.shop_url,
        made.database.shop_url,
    ]
    assert told(made.backoffice(), "changes_per_s", "schema", "seed") == [0.5, "shop", 1]


def test_workers_share_a_folder_for_metrics_and_the_provider_has_its_own(processes: Make) -> None:
    made = processes(small(workers=2))
    one, two, provider = (
        Path(spec.environment[METRICS_VARIABLE]) for spec in (made.shop_worker(1), made.shop_worker(2), made.payment())
    )
    assert (one == two, one == provider) == (True, False)
    assert [list(path.iterdir()) for path in (one, provider)] == [[], []]
    if os.geteuid() == 0:
        assert {path.owner() for path in (one, provider)} == {default_run_as()}


def test_every_access_log_is_named(processes: Make) -> None:
    made = processes(small(workers=2, edge="nginx"))
    logs = [(log.tier, Path(log.path).name) for log in made.access_logs()]
    assert logs == [
        ("shop", "shop-1.jsonl"),
        ("shop", "shop-2.jsonl"),
        ("payment", "payment.jsonl"),
    ]
    assert told(made.payment(), "access_log") == [made.access_logs()[-1].path]


def test_a_defect_is_planted_in_its_programs_and_in_no_other(processes: Make) -> None:
    made = processes(small(defects=("oversell", "missing-index", "double-charge", "oversell")))
    python = (sys.executable, "-P", "-m")
    assert made.shop_worker(1).command == (*python, "reference_shop.defects", "web", "oversell", "double-charge")
    assert made.seed().command == (*python, "reference_shop.defects", "seed", "missing-index")
    assert made.payment().command == (*python, "reference_shop.payment")
    assert program("web") == (*python, "reference_shop.web")


@pytest.mark.parametrize(
    ("url", "server", "after"),
    [
        ("postgresql://u:p%40@127.0.0.1:77/a?b=c", ("127.0.0.1", 77), "postgresql://u:p%40@127.0.0.1:{}/a?b=c"),
        ("postgres://db.example/a", ("db.example", 5432), "postgres://127.0.0.1:{}/a"),
    ],
)
def test_a_database_by_way_of_a_proxy_has_the_same_user_and_name(url: str, server: tuple[str, int], after: str) -> None:
    with ports.listen() as listener:
        assert server_of(url) == server
        assert by_way_of(url, listener) == after.format(ports.number_of(listener))


def test_the_purger_is_told_the_doors_in_their_order_and_goes_by_way_of_the_throttle(processes: Make) -> None:
    made = processes(small(edge="two-tier", edge_options=EdgeOptions(purge="key")))
    doors = (
        PurgeDoor("lonjak-shield", "http://127.0.0.1:7", ("url", "key")),
        PurgeDoor("a", "http://127.0.0.1:8", ("url",)),
    )
    purger = made.purger(doors, "key", "127.0.0.1:9")
    assert purger.settings == {
        "database_url": made.database.shop_url,
        "schema": "shop",
        "doors": [
            {"cache": "lonjak-shield", "url": "http://127.0.0.1:7", "by": ("url", "key")},
            {"cache": "a", "url": "http://127.0.0.1:8", "by": ("url",)},
        ],
        "how": "key",
        "host": "127.0.0.1:9",
        "run_as": default_run_as(),
    }
    assert (purger.role, purger.tier, purger.command[-1]) == ("purger", "purger", "reference_shop.purging")


@pytest.mark.parametrize(
    ("edge", "options", "behind"),
    [
        ("direct", EdgeOptions(), False),
        ("direct", EdgeOptions(origin_rtt_ms=5), False),
        ("direct", EdgeOptions(tls=True), True),
        ("varnish", EdgeOptions(), True),
    ],
)
def test_the_shop_believes_an_edge_only_where_there_is_one(
    processes: Make, edge: str, options: EdgeOptions, behind: bool
) -> None:
    assert told(processes(small(edge=edge, edge_options=options)).shop_worker(1), "behind_edge") == [behind]
