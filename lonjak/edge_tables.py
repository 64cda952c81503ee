"""What `lonjak edge` shows people, for a terminal of 80 columns."""

import textwrap
from collections.abc import Callable, Iterable, Sequence

from lonjak.shop_tables import WIDTH, labelled
from reference_shop.edges import EdgeProfile
from reference_shop.edges.programs import missing

Missing = Callable[[Iterable[str]], tuple[str, ...]]


def profiles_table(profiles: Iterable[EdgeProfile], missing: Missing = missing) -> str:
    """Each profile: its name, what it does, what it needs and can do, and what the safety probes find in it."""
    return "\n\n".join("\n".join(_profile_lines(profile, missing)) for profile in profiles)


def _profile_lines(profile: EdgeProfile, missing: Missing) -> list[str]:
    return [
        profile.name,
        textwrap.fill(profile.sentence, WIDTH, initial_indent="  ", subsequent_indent="  "),
        labelled("  needs", _programs(profile, missing)),
        labelled("  caches", _caches(profile)),
        labelled("  purges by", profile.purges),
        labelled("  promises", profile.promises),
        *(
            labelled(f"  {probe}", [f"{expected.answer}: {expected.because}"])
            for probe, expected in profile.safety.items()
        ),
    ]


def _programs(profile: EdgeProfile, missing: Missing) -> Sequence[str]:
    names = ("nginx", "varnish") if _is_users_own(profile) else profile.programs
    absent = missing(names)
    return _alternatives(profile, [f"{name} (not installed)" if name in absent else name for name in names])


def _caches(profile: EdgeProfile) -> Sequence[str]:
    names = ("lonjak-nginx", "lonjak-varnish") if _is_users_own(profile) else profile.caches
    return _alternatives(profile, names)


def _alternatives(profile: EdgeProfile, names: Sequence[str]) -> Sequence[str]:
    """Names as they are; of a user's own configuration, whose program its file decides, the one and the other."""
    if not _is_users_own(profile):
        return names
    nginx, varnish = names
    return [nginx, f"or {varnish} for *.vcl"]


def _is_users_own(profile: EdgeProfile) -> bool:
    return profile.name == "custom"
