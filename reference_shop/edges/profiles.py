"""The names of the edge profiles, and what each of them needs."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class EdgeProfile:
    """One way to stand in front of the shop; `program` is None for an edge without a process of its own."""

    name: str
    sentence: str
    program: str | None


PROFILES = {
    profile.name: profile
    for profile in (
        EdgeProfile("direct", "no edge: shoppers speak to the shop's own listening socket", None),
        EdgeProfile(
            "nginx", "caches what the shop's headers allow; serves stale pages while it fetches new ones", "nginx"
        ),
    )
}
