"""The part of a stack that stands before an origin: edge processes, the link to the origin, and the edge's throttle.

It is the whole of an edge that somebody puts before an origin of their own.
"""

from dataclasses import replace
from urllib.parse import urlsplit

from reference_shop.edges import layout, programs
from reference_shop.edges.certificates import CertificateProblem, ServerCertificate, make_certificate
from reference_shop.edges.layout import EdgeProcess, Origin, Site
from reference_shop.stack.child import ProcessSpec
from reference_shop.stack.document import AccessLog, OriginLink, PurgeDoor
from reference_shop.stack.doors import EdgeDoors, delayed, site_options
from reference_shop.stack.folder import StackFolder
from reference_shop.stack.ports import HOST, is_loopback, number_of
from reference_shop.stack.premises import Premises
from reference_shop.stack.problems import ProgramAbsent, StackProblem, StartFailed
from reference_shop.stack.proxies import Way, control_file, origin_link, throttle
from reference_shop.stack.readiness import announced, answers_http, answers_https, reads_varnish_log
from reference_shop.stack.service import Ready

# nginx gives requests in flight 2 s.
_STOP_S = 2.5


class EdgePart:
    """Starts what stands on `doors`, before `origin`."""

    def __init__(self, premises: Premises, doors: EdgeDoors, origin: Origin) -> None:
        self._premises = premises
        self._doors = doors
        self._origin = origin
        self._certificate: ServerCertificate | None = None
        self._processes: tuple[EdgeProcess, ...] = ()

    async def start(self, answer_s: float) -> None:
        """Bring everything up, origin side first; each must answer within `answer_s`, an error for all we care.

        Raises StackProblem or OSError.
        """
        behind = await self._start_link()
        self._certificate = self._make_certificate()
        self._processes = _laid_out(self._site(behind))
        if self._processes:
            self._premises.say(f"start the edge {self._premises.settings.edge}")
        for process in self._processes:
            furnish(self._premises.folder, process)
            await self._serve(process, answer_s)
        await self._start_throttles(behind)

    @property
    def urls(self) -> tuple[str, ...]:
        """The points of presence."""
        scheme = "https" if self._premises.settings.edge_options.tls else "http"
        return tuple(f"{scheme}://{HOST}:{port}" for port in self._doors.numbers)

    @property
    def name(self) -> str:
        """What shoppers call the stack, host and port."""
        return f"{HOST}:{self._doors.numbers[0]}"

    @property
    def ca_file(self) -> str | None:
        """The certificate of the authority that vouches for the public doors."""
        return str(self._certificate.authority) if self._certificate else None

    @property
    def link(self) -> OriginLink | None:
        """The link to the origin, if there is one."""
        delay_ms = self._premises.settings.edge_options.origin_rtt_ms
        return None if delay_ms is None else OriginLink(str(control_file(self._premises.folder)), delay_ms)

    @property
    def purge_doors(self) -> tuple[PurgeDoor, ...]:
        """Where the caches take purges, origin side first; none before the start."""
        return tuple(
            PurgeDoor(process.cache, *process.purge_door)
            for process in self._processes
            if process.cache and process.purge_door
        )

    def access_logs(self) -> tuple[AccessLog, ...]:
        """Where the edge logs its requests; nowhere before the start."""
        return tuple(
            AccessLog(process.tier, str(process.access_log)) for process in self._processes if process.access_log
        )

    async def _serve(self, process: EdgeProcess, answer_s: float) -> None:
        """Bring one up. Raises StartFailed, which names the user's own file where the process runs what that says."""
        try:
            await self._premises.services.serve(self._spec(process), self._ready(process, answer_s))
        except StartFailed as problem:
            config = self._premises.settings.edge_options.config
            if config is None or process.cache is None:
                raise
            raise StartFailed(f"{problem.sentence} with your --edge-config {config}", problem.log_tail) from None

    async def _start_link(self) -> Origin:
        """Where the edge, or the shopper, finds the origin."""
        if self._doors.link is None:
            return self._origin
        self._premises.say("start the link to the origin")
        # Without an edge it is the shopper that the shop hears through the link.
        way = Way(self._doors.link, (self._origin.host, self._origin.port), keep_client_address=not self._doors.edge)
        await self._premises.services.serve(origin_link(self._premises.settings, self._premises.folder, way), announced)
        return replace(self._origin, host=HOST, port=number_of(self._doors.link))

    async def _start_throttles(self, behind: Origin) -> None:
        """One for each public door; outside the tier's control group, as they only play a slow tier."""
        settings, services = self._premises.settings, self._premises.services
        if not delayed(settings, "edge"):
            return
        self._premises.say("start the throttle of the edge")
        targets = tuple(map(number_of, self._doors.edge)) or (behind.port,)
        for number, (public, port) in enumerate(zip(self._doors.public, targets, strict=True), start=1):
            role = "edge-throttle" if number == 1 else f"edge-throttle-{number}"
            way = Way(public, (HOST, port), keep_client_address=True)
            await services.serve_unthrottled(throttle(role, "edge", settings, self._premises.folder, way), announced)

    def _make_certificate(self) -> ServerCertificate | None:
        if not self._premises.settings.edge_options.tls:
            return None
        folder, openssl = self._premises.folder, programs.find("openssl")
        if openssl is None:
            raise ProgramAbsent(f"openssl is not installed: {programs.install_command(('openssl',))}")
        try:
            certificate = make_certificate(folder.open_to_processes("certificate"), openssl)
        except CertificateProblem as problem:
            raise StackProblem(str(problem)) from None
        for path in (certificate.authority, certificate.certificate, certificate.key):
            folder.hand_over(path)
        return certificate

    def _site(self, behind: Origin) -> Site:
        settings = self._premises.settings
        return Site(
            profile=settings.profile,
            options=site_options(settings),
            origin=behind,
            public_ports=tuple(map(number_of, self._doors.edge)),
            inner_ports={name: number_of(door) for name, door in self._doors.inner.items()},
            folder=self._premises.folder.path,
            worker_count=len(settings.stack_cpus) or 1,
            concurrency=settings.edge_concurrency,
            is_shop=settings.origin is None,
            certificate=self._certificate,
        )

    def _spec(self, process: EdgeProcess) -> ProcessSpec:
        folder = self._premises.folder
        return ProcessSpec(
            role=process.role,
            tier=process.tier,
            command=process.command,
            folder=folder.path,
            log=folder.log(process.role),
            port=process.port or None,
            cpu_set=self._premises.settings.stack_cpus,
            become=folder.run_as,
            stop_signal=process.stop_signal,
            stop_s=_STOP_S,
            reload=process.reload,
        )

    def _ready(self, process: EdgeProcess, answer_s: float) -> Ready:
        if not process.port:
            return reads_varnish_log
        if self._certificate and process.port in map(number_of, self._doors.edge):
            return answers_https(process.port, self._certificate.authority, answer_s)
        return answers_http(process.port, any_status=True, answer_s=answer_s)


def _laid_out(site: Site) -> tuple[EdgeProcess, ...]:
    try:
        return layout.lay_out(site)
    except ValueError as problem:
        raise StackProblem(str(problem)) from None


def furnish(folder: StackFolder, process: EdgeProcess) -> None:
    """Write a process's files into the folder of its own, and give all of it to the user that it runs as."""
    own = folder.open_to_processes(process.role)
    for name, text in process.files.items():
        path = own / name
        for parent in reversed(path.relative_to(own).parents[:-1]):
            (own / parent).mkdir(mode=0o700, exist_ok=True)
            folder.hand_over(own / parent)
        path.write_text(text, encoding="utf-8")
        folder.hand_over(path)


def foreign_origin(url: str) -> Origin:
    """Somebody's own origin. Elsewhere than on loopback it is asked by its own name, as it may serve many names."""
    parts = urlsplit(url)
    host, secure = parts.hostname or HOST, parts.scheme == "https"
    name = None if is_loopback(host) else parts.netloc
    return Origin(host, parts.port or (443 if secure else 80), secure, name)
