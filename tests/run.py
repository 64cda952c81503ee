"""`make test`: style, types, import contracts, then all tests; the last line counts them.

The engine is tested in a process of its own: importing Locust patches sockets and signals for the whole process. It
runs beside the other tests, which mostly wait. Whole runs come last and alone, as they measure.
"""

import re
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
CHECKS = {
    "format": [BIN / "ruff", "format", "--check", "--quiet", "."],
    "style": [BIN / "ruff", "check", "--quiet", "."],
    "types": [BIN / "mypy"],
    "import contracts": [BIN / "lint-imports"],
}


@dataclass(frozen=True, slots=True)
class Suite:
    """Tests that one pytest process runs."""

    name: str
    places: tuple[str, ...]

    def start(self) -> "subprocess.Popen[str]":
        """Start pytest; what it prints is kept until it has ended."""
        return subprocess.Popen(
            [sys.executable, "-m", "pytest", "-q", "--durations=8", *self.places],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )


TOGETHER = (
    Suite("tests", ("tests", "--ignore=tests/engine", "--ignore=tests/e2e")),
    Suite("engine tests", ("tests/engine",)),
)
ALONE = Suite("whole runs", ("tests/e2e",))
_COUNT = re.compile(r"(\d+) (passed|failed|error|errors|skipped)\b")


def main() -> int:
    """Run everything, also after a failure, and say at the end what became of it."""
    failed = [name for name, command in CHECKS.items() if not succeeds(name, command)]
    if "--no-tests" in sys.argv:
        return 1 if failed else 0
    running = [suite.start() for suite in TOGETHER]
    outcomes = [finish(suite, process) for suite, process in zip(TOGETHER, running, strict=True)]
    outcomes.append(finish(ALONE, ALONE.start()))
    counts = sum(outcomes, Counter[str]())
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


def finish(suite: Suite, process: "subprocess.Popen[str]") -> Counter[str]:
    """Show what a suite printed; its counts. A pytest that did not get to its tests counts as one failure."""
    out, _ = process.communicate()
    print(f"{suite.name}:\n{out}", flush=True)
    last = next((line for line in reversed(out.splitlines()) if _COUNT.search(line)), "")
    counts = Counter({"failed" if what.startswith("error") else what: int(n) for n, what in _COUNT.findall(last)})
    if process.returncode and not counts["failed"]:
        counts["failed"] = 1
    return counts


if __name__ == "__main__":
    sys.exit(main())
