"""What can be asked of an edge beside its profile, and which of it a profile cannot do."""

from dataclasses import dataclass
from pathlib import Path

from reference_shop.edges import user_files
from reference_shop.edges.profiles import EdgeProfile

PURGES = ("none", "url", "key", "auto")
_HIGHEST_WAF = 4
_HIGHEST_RATE_PER_S = 100_000
_LONGEST_RTT_MS = 2000.0


@dataclass(frozen=True, slots=True)
class EdgeOptions:
    """`waf` is the paranoia level of the rules, 0 for none; `rate_limit_per_s` counts requests of a client's address;
    `origin_rtt_ms` is the round trip to the shop, None for no link of our own; `config` the file of profile custom.
    """

    tls: bool = False
    waf: int = 0
    rate_limit_per_s: int | None = None
    origin_rtt_ms: float | None = None
    purge: str = "none"
    config: str | None = None

    def problems(self, profile: EdgeProfile) -> list[str]:
        """Everything that is wrong with these for a profile, one sentence each."""
        return [*self._number_problems(), *self._purge_problems(profile), *self._config_problems(profile)]

    def _number_problems(self) -> list[str]:
        problems = []
        if not 0 <= self.waf <= _HIGHEST_WAF:
            problems.append(f"waf is {self.waf}: it must be a paranoia level from 1 to {_HIGHEST_WAF}")
        if self.rate_limit_per_s is not None and not 1 <= self.rate_limit_per_s <= _HIGHEST_RATE_PER_S:
            problems.append(
                f"rate-limit is {self.rate_limit_per_s}: it must be between 1 and {_HIGHEST_RATE_PER_S} a second"
            )
        if self.origin_rtt_ms is not None and not 0 <= self.origin_rtt_ms <= _LONGEST_RTT_MS:
            problems.append(f"origin-rtt-ms is {self.origin_rtt_ms:g}: it must be between 0 and {_LONGEST_RTT_MS:g}")
        return problems

    def _purge_problems(self, profile: EdgeProfile) -> list[str]:
        if self.purge not in PURGES:
            return [f"purge {self.purge!r} is unknown: choose one of {', '.join(PURGES)}"]
        if self.purge in ("none", "auto", *profile.purges):
            return []
        if not profile.purges:
            return [f"edge profile {profile.name} cannot purge: leave --purge out"]
        able = ", ".join(("none", *profile.purges))
        return [f"edge profile {profile.name} cannot purge by {self.purge}: choose one of {able} with --purge"]

    def _config_problems(self, profile: EdgeProfile) -> list[str]:
        if profile.name != "custom":
            return [f"--edge-config is for the edge profile custom, not for {profile.name}"] if self.config else []
        if not self.config:
            return ["the edge profile custom needs a file: give it with --edge-config"]
        return user_files.problems(Path(self.config))


def resolve_purge(purge: str, profile: EdgeProfile) -> str:
    """What `purge` means for a profile: "auto" is by key where it can, else by URL where it can, else none."""
    if purge != "auto":
        return purge
    return next((how for how in ("key", "url") if how in profile.purges), "none")


def needs_front(profile: EdgeProfile, options: EdgeOptions, concurrency: int | None = None) -> bool:
    """Whether nginx must stand before a profile that has none in front, or not one of ours, for what was asked."""
    wanted = options.tls or bool(options.waf) or options.rate_limit_per_s is not None or concurrency is not None
    return wanted and profile.name in {"direct", "varnish", "custom"}


def public_doors(profile: EdgeProfile, options: EdgeOptions, concurrency: int | None = None) -> int:
    """How many public doors the edge binds itself: those of the profile, one where only a front makes an edge of it."""
    return profile.doors or int(needs_front(profile, options, concurrency))


def caches(profile: EdgeProfile, options: EdgeOptions) -> tuple[str, ...]:
    """The names in Cache-Status, origin side first: the profile's own, or those of the user's program."""
    if profile.name == "custom" and options.config and user_files.is_vcl(options.config):
        return ("lonjak-varnish",)
    return profile.caches
