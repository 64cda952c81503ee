"""What a plan takes from a run directory, and the runs from which none can be made."""

from dataclasses import replace

import pytest

from analysis.planning.measured import Measured, measured
from analysis.recording import read
from loadgen.errors import TooLittleKnown
from loadgen.exitcodes import ExitCode
from tests.analysis.planning.shops import found
from tests.recorded_run import History, edge_lab, ordinary


def looked_at(history: History, tmp_path, **changes: object) -> Measured:
    return measured(read(history.write(tmp_path)), replace(found(), **changes))


def refused(history: History, tmp_path, **changes: object) -> str:
    with pytest.raises(TooLittleKnown) as raised:
        looked_at(history, tmp_path, **changes)
    assert raised.value.exit_code == ExitCode.UNKNOWN
    told = str(raised.value)
    assert told.startswith("no plan can be made of this run: ")
    assert "\n" not in told
    return told.removeprefix("no plan can be made of this run: ")


def test_an_ordinary_evening_is_taken_as_it_was_measured(tmp_path):
    shop = looked_at(ordinary(), tmp_path)
    assert [demand.tier for demand in shop.demands] == ["edge", "shop", "database"]
    assert (shop.requests_per_session, shop.orders_per_session, shop.sessions_per_s) == (20.0, 0.25, 1.0)
    assert shop.response_ms["all"].count == 40 * 20
    # 0.3 of a processor for 20 requests a second
    assert shop.generator_s.value == pytest.approx(0.015)
    assert (shop.connections_per_worker, shop.faults, shop.doubt) == (None, (), None)


def test_a_run_whose_mixture_is_known_to_be_all_counts_requests_once(tmp_path):
    shop = looked_at(ordinary(), tmp_path, requests_per_session={"all": 20.0, "product": 15.0, "static": 5.0})
    assert shop.requests_per_session == 20.0


def test_visits_are_what_the_tiers_own_logs_tell(tmp_path):
    """Of 26 requests a second 3 + 5 came to the shop while a shopper waited; refreshes and purges are not it."""
    shop = looked_at(edge_lab(), tmp_path)
    asked = (
        sum(len(times) for (second, _), times in edge_lab().ok_ms.items() if 10 <= second < 50) + 3 * 2
    )  # while a point of presence is lost, 2 requests a second fail
    assert shop.paths_logged
    assert shop.visits["shop"] == shop.visits["database"] == pytest.approx(40 * 8 / asked)
    assert shop.visits["edge"] == 1.0  # the edge's own log is missing: everything comes by
    assert shop.faults == ("edge-lost",)
    assert [shop.comes_by("database", kind) for kind in ("cart", "account", "all")] == [1.0, 0.0, shop.visits["shop"]]
    assert shop.comes_by("edge", "account") == 1.0


def test_a_providers_log_names_charges_and_so_the_paying_pages_wait_for_it(tmp_path):
    history = ordinary()
    history.origin.append({"elapsed_s": 20, "tier": "payment", "page_kind": "charge", "request_count": 80})
    shop = looked_at(history, tmp_path, of=found({"payment": (0.1, 0.01)}).of)
    assert shop.visits["payment"] == 0.1  # of 800
    assert [shop.comes_by("payment", kind) for kind in ("product", "payment", "all")] == [0.0, 1.0, 0.1]


def test_without_logs_everything_comes_by_everywhere(tmp_path):
    history = ordinary()
    history.origin.clear()
    shop = looked_at(history, tmp_path)
    assert (shop.paths_logged, dict(shop.visits)) == (False, {"edge": 1.0, "shop": 1.0, "database": 1.0})


def test_connections_are_counted_by_worker_of_the_shop(tmp_path):
    history = ordinary()
    for second in range(60):
        row = {"elapsed_s": second, "tier": "database", "role": "database", "pid": 2, "cpu_ratio": 0.1}
        history.tiers.append({**row, "memory_bytes": 1, "connection_count": 9})
    assert looked_at(history, tmp_path).connections_per_worker == 4.5


def test_a_doubt_about_page_kinds_alone_is_kept_and_a_plan_is_made(tmp_path):
    shop = looked_at(ordinary(), tmp_path, doubt="Page kinds cannot be told apart.")
    assert shop.doubt == "Page kinds cannot be told apart."


def test_a_run_without_tiers_is_refused_with_what_to_do(tmp_path):
    history = ordinary()
    history.tiers.clear()
    assert refused(history, tmp_path) == (
        "tiers.csv tells of no process of the shop, so nobody knows what a request costs; run against a stack of this "
        "machine (`lonjak shop up`), or name a stack.json with --stack"
    )


def test_a_run_whose_tiers_are_the_generators_alone_is_refused(tmp_path):
    history = ordinary()
    history.tiers = [row for row in history.tiers if row["tier"] == "generator"]
    assert "no process of the shop" in refused(history, tmp_path)


def test_a_run_whose_file_of_tiers_is_gone_is_refused(tmp_path):
    run = ordinary().write(tmp_path)
    run.tiers.unlink()
    with pytest.raises(TooLittleKnown, match=r"tiers\.csv tells of no process"):
        measured(read(run), found())


def test_too_narrow_a_load_is_refused_with_the_range_that_it_leaves(tmp_path):
    vague = found({"edge": (0.2, 0.0), "shop": (5.0, 5.0)}).of
    shop = replace(vague[1], low_s=0.001, high_s=0.012)
    assert refused(ordinary(), tmp_path, of=(vague[0], shop)) == (
        "a request costs shop 1 to 12 ms of a processor, and nobody knows how much in between; record a longer one "
        "with more load, against a shop whose processes are known (`lonjak shop up`)"
    )


def test_a_run_that_cannot_tell_any_demand_is_refused_in_its_own_words(tmp_path):
    told = refused(ordinary(), tmp_path, of=(), doubt="The run is too short to say what a request costs.")
    assert told.startswith("The run is too short to say what a request costs; record a longer one")


def test_a_run_of_idle_tiers_is_refused(tmp_path):
    idle = tuple(replace(demand, seconds=0.0, low_s=0.0, high_s=0.0) for demand in found().of)
    assert "No tier was seen working" in refused(ordinary(), tmp_path, of=idle)


def test_a_run_that_counts_no_sessions_is_refused(tmp_path):
    history = ordinary()
    history.funnel.clear()
    assert "it counts no session that arrived" in refused(history, tmp_path)


def test_a_run_that_hardly_got_steady_is_refused(tmp_path):
    history = ordinary()
    history.manifest = replace(history.manifest, plan=replace(history.manifest.plan, warmup_s=44.0))
    assert "its steady phase has 6 s, and 10 are needed" in refused(history, tmp_path)
