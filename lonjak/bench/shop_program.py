"""Runs a program of the bench that asks a shop: on the processor that the shop's worker does not use."""

import json
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path
from subprocess import TimeoutExpired
from typing import TYPE_CHECKING, Any

from lonjak.bench.processes import started
from lonjak.bench.section import Settings

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

_SPARE_S = 30.0  # to start, to wait for the last answers, and to reckon


def ask_program(module: str, order: "DataclassInstance", seconds: float, settings: Settings) -> dict[str, Any]:
    """Give it its order and return what its last line says; EnvironmentProblem when it fails or outstays `seconds`."""
    command = (sys.executable, "-P", "-m", module, json.dumps(asdict(order)))
    with tempfile.TemporaryDirectory(prefix="lonjak-bench-") as folder:
        cpus = (settings.server_cpu,)
        with started(module.rpartition(".")[2], command, cpus=cpus, folder=Path(folder)) as program:
            try:
                code = program.process.wait(seconds + _SPARE_S)
            except TimeoutExpired:
                program.give_up(f"did not end within {seconds + _SPARE_S:g} s")
            if code != 0:
                program.give_up(f"ended with {code}")
            lines = program.log.read_text(encoding="utf-8").splitlines()
    answer: dict[str, Any] = json.loads(lines[-1])
    return answer
