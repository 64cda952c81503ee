"""Section `cached-page`: a product page from the edge's cache beside a plain file of its size on the same nginx.

The edge is the profile `nginx` as `lonjak shop up` makes it, with one location more, for the file; over TLS and at each
level of the WAF as well. wrk asks, on the other processor.
"""

import contextlib
import re
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import requests

from loadgen.errors import EnvironmentProblem
from lonjak.bench.figures import Spread, paired_ratio
from lonjak.bench.processes import Started, started
from lonjak.bench.section import Section, Settings
from lonjak.bench.server import worker_user
from lonjak.bench.shop_stack import running_stack, worker_alone
from lonjak.progress import Progress
from reference_shop.edges import PROFILES, EdgeOptions
from reference_shop.edges.certificates import ServerCertificate, make_certificate
from reference_shop.edges.layout import EdgeProcess, Origin, Site, inner_doors, lay_out
from reference_shop.edges.programs import missing, needed
from reference_shop.stack import ports
from reference_shop.stack.settings import StackSettings

_PROFILE = PROFILES["nginx"]
_PRODUCTS = 1000
_PAGE = "/product/1"
_FILE = "/plain-file.html"
_CONNECTIONS = 32
# The WAF turns tools away that say who they are, or say nothing.
_BROWSER = {
    "User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    "Accept": "text/html",
}
_START_S = 10.0
_RATE = re.compile(r"Requests/sec:\s+([\d.]+)")
_ERRORS = re.compile(r"Non-2xx or 3xx responses: (\d+)|Socket errors: (.*)")
_HEADINGS = ("edge", "plain file/s", "min–max", "cached page/s", "min–max", "page ÷ file", "÷ plain HTTP")


@dataclass(frozen=True, slots=True)
class Pace:
    """Both rates of one variant of the edge over all rounds, in requests per second; `ratio` is page by file."""

    variant: str
    page_bytes: int
    file_per_s: Spread
    page_per_s: Spread
    ratio: float
    beside_plain: float


def cached_page(settings: Settings, progress: Progress) -> Section:
    """Every variant that this machine has the programs for."""
    if shutil.which("wrk") is None:
        return Section("cached-page", skipped="wrk is not installed: apt-get install -y wrk")
    variants = {"plain HTTP": EdgeOptions(), "TLS": EdgeOptions(tls=True)}
    variants |= {f"WAF level {level}": EdgeOptions(waf=level) for level in (1, 2, 3, 4)}
    able = {name: made for name, made in variants.items() if not missing(needed(_PROFILE, made))}
    wanted = worker_alone(StackSettings(products=_PRODUCTS, changes_per_s=0))
    with running_stack(wanted, progress, "cached-page") as shop:
        measured = {name: _measure(name, options, shop.port, settings, progress) for name, options in able.items()}
    rows = tuple(_pace(name, *measured[name], plain=measured["plain HTTP"]) for name in measured)
    lacking = f" Left out, as programs are missing: {', '.join(variants.keys() - able)}." if len(able) < 6 else ""
    sentence = (
        f"A product page of {rows[0].page_bytes:,} bytes and a file of that size, from one nginx worker by wrk with "
        f"{_CONNECTIONS} connections, in turn, round by round; ratios are medians of the rounds' own.{lacking}"
    )
    return Section("cached-page", sentence, _HEADINGS, tuple(map(_line, rows)), rows)


def _measure(
    name: str, options: EdgeOptions, origin_port: int, settings: Settings, progress: Progress
) -> tuple[int, list[float], list[float]]:
    """Bytes of the page, and the rates of file and page, round by round."""
    file_per_s: list[float] = []
    page_per_s: list[float] = []
    with _edge(options, origin_port, settings) as (url, size):
        for number in range(1, settings.rounds + 1):
            progress.start(f"cached-page, {name}, round {number} of {settings.rounds}")
            file_per_s.append(_wrk(url + _FILE, settings))
            page_per_s.append(_wrk(url + _PAGE, settings))
    return size, file_per_s, page_per_s


@contextmanager
def _edge(options: EdgeOptions, origin_port: int, settings: Settings) -> Iterator[tuple[str, int]]:
    """Start the edge; its address, and how long the page is, which is cached by then."""
    with contextlib.ExitStack() as held:
        folder = Path(held.enter_context(tempfile.TemporaryDirectory(prefix="lonjak-bench-")))
        folder.chmod(0o711)  # nginx's worker goes through it
        public = held.enter_context(contextlib.closing(ports.reserve()))
        inner = {
            name: held.enter_context(contextlib.closing(ports.reserve())) for name in inner_doors(_PROFILE, options)
        }
        site = Site(
            profile=_PROFILE,
            options=options,
            origin=Origin(ports.HOST, origin_port),
            public_ports=(ports.number_of(public),),
            inner_ports={name: ports.number_of(bound) for name, bound in inner.items()},
            folder=folder,
            worker_count=1,
            certificate=make_certificate(folder) if options.tls else None,
        )
        (process,) = lay_out(site)
        own = folder / process.role
        _write(process, own)
        cpus = (settings.server_cpu,)
        running = held.enter_context(started("nginx", process.command, cpus=cpus, folder=own))
        url = f"{'https' if options.tls else 'http'}://{ports.HOST}:{process.port}"
        page = _first_page(url, running, site.certificate)
        (own / _FILE.lstrip("/")).write_bytes(page)
        yield url, len(page)


def _write(process: EdgeProcess, folder: Path) -> None:
    """The edge's own files, with a location for the plain file, and as whom the workers run."""
    folder.mkdir(mode=0o711)
    for name, text in process.files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(_with_file(text, folder) if name == "nginx.conf" else text, encoding="utf-8")


def _with_file(text: str, folder: Path) -> str:
    """The configuration with one location more in its first server."""
    location = f"server {{\n        location = {_FILE} {{\n            root {folder};\n        }}\n"
    user = worker_user()
    return (f"user {user};\n" if user else "") + text.replace("server {\n", location, 1)


def _first_page(url: str, running: Started, certificate: ServerCertificate | None) -> bytes:
    """The page, asked for until the cache has it."""
    deadline = time.monotonic() + _START_S
    while True:
        running.check_alive()
        with contextlib.suppress(requests.RequestException):
            trusted = str(certificate.authority) if certificate else True
            answer = requests.get(
                url + _PAGE, headers=_BROWSER | {"Accept-Encoding": "identity"}, verify=trusted, timeout=5
            )
            if answer.ok and "; hit" in answer.headers.get("Cache-Status", ""):
                return answer.content
        if time.monotonic() > deadline:
            running.give_up(f"had no page in its cache after {_START_S:g} s")
        time.sleep(0.05)


def _wrk(url: str, settings: Settings) -> float:
    """Requests per second by wrk's count; EnvironmentProblem when any failed."""
    seconds = max(1, round(settings.duration_s))
    fields = (argument for name, value in _BROWSER.items() for argument in ("-H", f"{name}: {value}"))
    command = ("wrk", "-t1", f"-c{_CONNECTIONS}", f"-d{seconds}s", *fields, url)
    with (
        tempfile.TemporaryDirectory(prefix="lonjak-bench-") as folder,
        started("wrk", command, cpus=(settings.contender_cpu,), folder=Path(folder)) as running,
    ):
        code = running.process.wait(seconds + _START_S)
        said = running.log.read_text(encoding="utf-8", errors="replace")
    rate, errors = _RATE.search(said), _ERRORS.search(said)
    if code or rate is None or errors:
        raise EnvironmentProblem(f"wrk could not measure {url}: {' '.join(said.split())[-200:]}")
    return float(rate[1])


def _pace(
    name: str,
    size: int,
    file_per_s: list[float],
    page_per_s: list[float],
    *,
    plain: tuple[int, list[float], list[float]],
) -> Pace:
    return Pace(
        variant=name,
        page_bytes=size,
        file_per_s=Spread.of(file_per_s),
        page_per_s=Spread.of(page_per_s),
        ratio=paired_ratio(page_per_s, file_per_s),
        beside_plain=median(page_per_s) / median(plain[2]),
    )


def _line(row: Pace) -> tuple[str, ...]:
    return (
        row.variant,
        f"{row.file_per_s.median:,.0f}",
        f"{row.file_per_s.low:,.0f}–{row.file_per_s.high:,.0f}",
        f"{row.page_per_s.median:,.0f}",
        f"{row.page_per_s.low:,.0f}–{row.page_per_s.high:,.0f}",
        f"{row.ratio:.2f}",
        f"{row.beside_plain:.2f}",
    )
