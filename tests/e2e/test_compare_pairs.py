"""Real runs of one and the same server in pairs: how often a regression is told that is none.

LONJAK_PAIRS=20 pytest tests/e2e/test_compare_pairs.py -s

takes about ten minutes. An ordinary `make test` counts the same on synthetic runs: tests/analysis/test_false_alarms.py.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from analysis.difference.difference import compare
from analysis.steady_seconds import ALL
from loadgen.rundir import RunDirectory

PAIRS = int(os.environ.get("LONJAK_PAIRS", "0"))
HERE = Path(__file__).parent
DURATION_S = 15
AT_ONCE = 2  # pairs; the runs of a pair follow each other


@contextmanager
def server(seed: int) -> Iterator[str]:
    command = [sys.executable, str(HERE / "patient_server.py"), str(seed)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
    finally:
        process.communicate(timeout=10)


def recorded(folder: Path, seed: int) -> RunDirectory:
    """A run against a server of its own; the verdict on the run itself is not asked for."""
    with server(seed) as url:
        command = [sys.executable, "-m", "lonjak", "run", str(HERE / "patient_locustfile.py"), "--target", url]
        options = ["--users", "20", "--spawn-rate", "100", "--duration", f"{DURATION_S}s", "--out", str(folder)]
        environment = {**os.environ, "LONJAK_STATE_DIR": str(folder / "state")}
        subprocess.run([*command, *options], env=environment, capture_output=True, timeout=90, check=False)
    (path,) = folder.glob("patient_locustfile/*")
    return RunDirectory(path)


@pytest.mark.skipif(not PAIRS, reason="takes half a minute a pair; say how many with LONJAK_PAIRS")
@pytest.mark.timeout(90 * max(1, PAIRS))
def test_at_most_one_pair_in_ten_of_the_same_server_looks_like_a_regression(tmp_path: Path) -> None:
    def pair_of(number: int) -> tuple[RunDirectory, RunDirectory]:
        a, b = (recorded(tmp_path / f"{number}{side}", 2 * number + at) for at, side in enumerate("ab"))
        return a, b

    outcomes: list[str] = []
    with ThreadPoolExecutor(AT_ONCE) as pool:
        pairs = list(pool.map(pair_of, range(PAIRS)))
    for number, (a, b) in enumerate(pairs):
        found = compare([a], [b])
        p95 = found.figure(ALL, "p95")
        outcomes.append(found.verdict)
        told = [(each.figure.page_kind, each.figure.name, each.change) for each in found.of("regression")]
        print(number, found.verdict, p95 and (p95.change, p95.smallest), told, found.doubts)
    print({outcome: outcomes.count(outcome) for outcome in sorted(set(outcomes))})
    assert outcomes.count("fail") <= PAIRS / 10
    # A check that never answers would never be wrong.
    assert outcomes.count("unknown") <= PAIRS / 2
