"""A stack.json with one process of the test's own behind it, and what restarts it."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from loadgen.stack import start_time_of

SLEEPER = [sys.executable, "-c", "import sys, time; print('up', flush=True); time.sleep(600)"]


def start_sleeper() -> "subprocess.Popen[str]":
    process = subprocess.Popen(SLEEPER, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "up\n"
    process.stdout.close()
    return process


class DummyStack:
    """Writes stack.json like a supervisor does; this test process stands for it."""

    def __init__(self, folder: Path, url: str = "http://127.0.0.1:1", **more: Any) -> None:
        self.path = folder / "stack.json"
        self._url = url
        self._more = more
        self.process = start_sleeper()
        self.write(self.process.pid)

    def write(self, pid: int, *, ready: bool = True, start_time: int | None = None) -> None:
        started = start_time if start_time is not None else start_time_of(pid)
        worker = {
            "role": "shop-1",
            "tier": "shop",
            "pid": pid,
            "start_time": started or 0,
            "port": None,
            "ready": ready,
        }
        stack = {
            "schema_version": 1,
            "state": "ready",
            "url": self._url,
            "edge": "direct",
            "supervisor": {"pid": os.getpid(), "start_time": start_time_of(os.getpid())},
            "processes": [worker],
            **self._more,
        }
        fresh = self.path.with_suffix(".new")
        fresh.write_text(json.dumps(stack))
        fresh.replace(self.path)

    def replace_when_killed(self) -> None:
        """Wait until the process is gone, then start another and say so."""
        self.process.wait()
        killed, self.process = self.process, start_sleeper()
        assert killed.returncode == -9
        self.write(self.process.pid, ready=False)
        time.sleep(0.2)
        self.write(self.process.pid)

    def end(self) -> None:
        self.process.kill()
        self.process.wait()
