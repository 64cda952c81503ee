"""The run directory `runs/<scenario>/<UTC>/`, the one thing that the stages share. See docs/run-format.md."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from loadgen.errors import EnvironmentProblem, RunDirectoryProblem
from loadgen.manifest import Manifest

_LABEL = re.compile(r"[^A-Za-z0-9._-]+")


@dataclass(frozen=True, slots=True)
class RunDirectory:
    """The paths of one run's files; none of them need exist."""

    path: Path

    @classmethod
    def create(cls, root: Path, scenario: str, now: datetime) -> Self:
        """A new, empty directory below `root`; a second run within the same second gets a suffix."""
        label = _LABEL.sub("-", scenario).strip("-.") or "run"
        stamp = now.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
        for suffix in ["", *(f"-{number}" for number in range(2, 100))]:
            path = root / label / (stamp + suffix)
            try:
                path.mkdir(parents=True)
            except FileExistsError:
                continue
            except OSError as error:
                raise EnvironmentProblem(f"cannot write a run below {root}: {error.strerror}; give --out DIR") from None
            return cls(path)
        raise EnvironmentProblem(f"{root / label / stamp} and 98 more of the same second are taken; give --out DIR")

    @classmethod
    def open(cls, path: Path) -> Self:
        """An existing run; RunDirectoryProblem when it is none, damaged, or of another format version."""
        run = cls(path)
        if not path.is_dir():
            raise RunDirectoryProblem(f"{path} is not a directory: name one run, runs/<scenario>/<UTC>")
        if not run.manifest.exists():
            raise RunDirectoryProblem(f"{path} is not a run: it holds no manifest.json")
        Manifest.read(run.manifest)
        return run

    def replace(self, documents: Mapping[Path, str]) -> None:
        """Write documents, each whole or not at all: a full disk leaves the old ones. Raises EnvironmentProblem."""
        fresh = {path: path.with_name(path.name + ".new") for path in documents}
        try:
            for path, text in documents.items():
                fresh[path].write_text(text, encoding="utf-8")
            for path in documents:
                fresh[path].replace(path)
        except OSError as error:
            for path in fresh.values():
                path.unlink(missing_ok=True)
            raise EnvironmentProblem(
                f"cannot write the documents of {self.path}: {error.strerror}; "
                f"draw them with `lonjak report {self.path}` once that is mended"
            ) from None

    @property
    def manifest(self) -> Path:
        """What was run, where, and whether it ended."""
        return self.path / "manifest.json"

    @property
    def scenario(self) -> Path:
        """The resolved configuration."""
        return self.path / "scenario.toml"

    @property
    def hlog(self) -> Path:
        """Latencies; gzipped to latency.hlog.gz on close."""
        return self.path / "latency.hlog"

    @property
    def counters(self) -> Path:
        """Requests per second and page kind."""
        return self.path / "counters.csv"

    @property
    def funnel(self) -> Path:
        """Sessions per second of arrival and segment."""
        return self.path / "funnel.csv"

    @property
    def tiers(self) -> Path:
        """Processes of stack and generator per second."""
        return self.path / "tiers.csv"

    @property
    def sessions(self) -> Path:
        """Sessions in the shop per second, apart from those that the recorder counted."""
        return self.path / "sessions.csv"

    @property
    def queues(self) -> Path:
        """Places, connections and processor quotas of the stack's tiers, and who waited for them."""
        return self.path / "queues.csv"

    @property
    def origin(self) -> Path:
        """Requests as edge and origin logged them."""
        return self.path / "origin.csv"

    @property
    def origin_keys(self) -> Path:
        """The shared pages that the shop was asked for most, and in which bursts."""
        return self.path / "origin_keys.csv"

    @property
    def caches(self) -> Path:
        """What each cache said of each request, per second and page kind."""
        return self.path / "caches.csv"

    @property
    def sightings(self) -> Path:
        """How old the pages of the most wanted products were, per second."""
        return self.path / "sightings.csv"

    @property
    def safety(self) -> Path:
        """Checks for leaks, and alarms, per second."""
        return self.path / "safety.csv"

    @property
    def events(self) -> Path:
        """One history for load and faults."""
        return self.path / "events.jsonl"

    @property
    def ledger(self) -> Path:
        """State-changing attempts."""
        return self.path / "ledger.jsonl"

    @property
    def truth(self) -> Path:
        """What the target says happened."""
        return self.path / "truth.jsonl"

    @property
    def control(self) -> Path:
        """Lines that steer the running load."""
        return self.path / "control.jsonl"

    @property
    def summary(self) -> Path:
        """The figures that analysis computed."""
        return self.path / "summary.json"

    @property
    def verdict(self) -> Path:
        """pass, fail or unknown, with reasons."""
        return self.path / "verdict.json"

    @property
    def report(self) -> Path:
        """The document for planners."""
        return self.path / "report.html"

    @property
    def summary_md(self) -> Path:
        """The document for a CI job's page."""
        return self.path / "summary.md"

    @property
    def junit(self) -> Path:
        """The document for CI servers."""
        return self.path / "junit.xml"
