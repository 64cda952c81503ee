"""`make test`: style, types, import contracts, then the tests in two processes; the last line counts them.

The engine is tested in a process of its own: importing Locust patches sockets and signals for the whole process.
"""

import re
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
CHECKS = {
    "format": [BIN / "ruff", "format", "--check", "--quiet", "."],
    "style": [BIN / "ruff", "check", "--quiet", "."],
    "types": [BIN / "mypy"],
    "import contracts": [BIN / "lint-imports"],
}
SUITES = {
    "tests": ["tests", "--ignore=tests/engine"],
    "engine tests": ["tests/engine"],
}
_COUNT = re.compile(r"(\d+) (passed|failed|error|errors|skipped)\b")


def main() -> int:
    """Run everything, also after a failure, and say at the end what became of it."""
    failed = [name for name, command in CHECKS.items() if not succeeds(name, command)]
    if "--no-tests" in sys.argv:
        return 1 if failed else 0
    counts = {"passed": 0, "failed": 0, "skipped": 0}
    for name, places in SUITES.items():
        for what, count in run_suite(name, places).items():
            counts[what] += count
    if failed:
        print(f"failed: {', '.join(failed)}")
    skipped = f", {counts['skipped']} skipped" if counts["skipped"] else ""
    print(f"{counts['passed']} passed, {counts['failed'] + len(failed)} failed{skipped}")
    return 1 if failed or counts["failed"] or not counts["passed"] else 0


def succeeds(name: str, command: list[str | Path]) -> bool:
    """Whether a check ends with 0; what it has to say is shown when it does not."""
    began = time.monotonic()
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    print(f"{name}: {'ok' if result.returncode == 0 else 'FAILED'} ({time.monotonic() - began:.0f} s)", flush=True)
    if result.returncode:
        print(result.stdout + result.stderr, flush=True)
    return result.returncode == 0


def run_suite(name: str, places: list[str]) -> dict[str, int]:
    """Run pytest, showing what it prints; its counts. A pytest that did not get to its tests counts as one failure."""
    print(f"{name}:", flush=True)
    pytest = subprocess.Popen(
        [sys.executable, "-m", "pytest", "-q", "--durations=8", *places],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert pytest.stdout is not None
    last = ""
    for line in pytest.stdout:
        print(line, end="", flush=True)
        last = line if _COUNT.search(line) else last
    code = pytest.wait()
    counts = {"passed": 0, "failed": 0, "skipped": 0}
    for number, what in _COUNT.findall(last):
        counts["failed" if what.startswith("error") else what] += int(number)
    if code and not counts["failed"]:
        counts["failed"] = 1
    return counts


if __name__ == "__main__":
    sys.exit(main())
