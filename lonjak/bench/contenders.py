"""Who is measured, and the command that starts each: this generator, Locust's two clients, and other tools on PATH.

All ask for the same small page over as many connections as `Aim` says, without pause. None is believed: what they
made is counted by the server, and what it cost by the kernel.
"""

import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from loadgen.config import resolve, to_toml
from lonjak import generator

LONJAK = "Lonjak"
_LONG_ENOUGH = "1h"


@dataclass(frozen=True, slots=True)
class Aim:
    """At what, and where a contender may write. It is ended from outside; `most_s` is when it ends by itself."""

    url: str
    connections: int
    most_s: int
    folder: Path

    @property
    def run(self) -> Path:
        """The run directory, of a contender that leaves one."""
        return self.folder / "run"


Command = Callable[[Aim], tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Contender:
    """One of them. `program` must be on PATH, unless it is None; `over_tls`: whether it can do HTTP/1.1 over TLS."""

    name: str
    command: Command
    program: str | None = None
    over_tls: bool = True


def contenders(*, tls: bool = False, find: Callable[[str], str | None] = shutil.which) -> list[Contender]:
    """Those that can be measured here."""
    return [
        contender
        for contender in (*LOCUSTS, *PEERS)
        if (contender.over_tls or not tls) and (contender.program is None or find(contender.program))
    ]


def absent(find: Callable[[str], str | None] = shutil.which) -> list[str]:
    """The tools that would be measured were they on PATH."""
    return [peer.name for peer in PEERS if peer.program is not None and not find(peer.program)]


def lonjak_command(aim: Aim, user_class: str, load: dict[str, object], file: str = "looping.py") -> tuple[str, ...]:
    """Our generator as it always runs: a lone Locust process, our plugin, everything recorded."""
    aim.run.mkdir()
    scenario = aim.folder / "scenario.toml"
    scenario.write_text(to_toml(resolve({"load": load}, "bench", {})), encoding="utf-8")
    arguments = ["--run-dir", str(aim.run), "--scenario", str(scenario), "--stop-with", str(os.getpid())]
    return _locust(file, user_class, aim, arguments)


def vanilla_command(aim: Aim, user_class: str, users_per_s: float | None = None) -> tuple[str, ...]:
    """Locust as it is; without a rate, with all its users at once."""
    users = str(aim.connections)
    rate = f"{users_per_s:g}" if users_per_s else users
    return _locust("vanilla.py", user_class, aim, ["-u", users, "-r", rate, "-t", f"{aim.most_s}s"])


def _locust(file: str, user_class: str, aim: Aim, arguments: Sequence[str]) -> tuple[str, ...]:
    locustfile = generator.recorder_plugin().parent / "bench" / file
    options = ["--headless", "--only-summary", "--loglevel", "WARNING", "--host", aim.url, *arguments, user_class]
    return tuple(generator.locust_command([locustfile], options))


def _looping(aim: Aim) -> tuple[str, ...]:
    return lonjak_command(
        aim, "Looping", {"model": "closed", "users": aim.connections, "duration": _LONG_ENOUGH, "drain": "0s"}
    )


def _wrk(aim: Aim) -> tuple[str, ...]:
    return ("wrk", "-t", "1", "-c", str(aim.connections), "-d", f"{aim.most_s}s", f"{aim.url}/")


def _hey(aim: Aim) -> tuple[str, ...]:
    return ("hey", "-cpus", "1", "-c", str(aim.connections), "-z", f"{aim.most_s}s", f"{aim.url}/")


def _h2load(aim: Aim) -> tuple[str, ...]:
    return ("h2load", "--h1", "-t", "1", "-c", str(aim.connections), "-D", str(aim.most_s), f"{aim.url}/")


def _vegeta(aim: Aim) -> tuple[str, ...]:
    targets = aim.folder / "targets.txt"
    targets.write_text(f"GET {aim.url}/\n", encoding="utf-8")
    workers = str(aim.connections)
    limits = ("-rate", "0", "-workers", workers, "-max-workers", workers, "-connections", workers)
    ends = ("-duration", f"{aim.most_s}s", "-insecure", "-output", os.devnull)
    return ("vegeta", "attack", "-targets", str(targets), *limits, *ends)


def _k6(aim: Aim) -> tuple[str, ...]:
    return k6_command(aim, "")


def k6_command(aim: Aim, after: str) -> tuple[str, ...]:
    """k6 with a script that asks once in each iteration, and does `after`."""
    script = aim.folder / "script.js"
    script.write_text(
        f'import http from "k6/http"; import {{ sleep }} from "k6";\n'
        f"export const options = {{ insecureSkipTLSVerify: true, noCookiesReset: true }};\n"
        f"export default function () {{ http.get({f'{aim.url}/'!r}); {after} }}\n",
        encoding="utf-8",
    )
    amounts = ("--vus", str(aim.connections), "--duration", f"{aim.most_s}s")
    return ("k6", "run", "--quiet", "--no-summary", "--no-usage-report", *amounts, str(script))


LOCUSTS = (
    Contender(LONJAK, _looping),
    Contender("FastHttpUser", lambda aim: vanilla_command(aim, "FastLooping")),
    Contender("HttpUser", lambda aim: vanilla_command(aim, "HttpLooping")),
)
PEERS = (
    Contender("wrk", _wrk, "wrk"),
    Contender("k6", _k6, "k6"),
    Contender("vegeta", _vegeta, "vegeta"),
    Contender("hey", _hey, "hey"),
    Contender("h2load", _h2load, "h2load"),
)
