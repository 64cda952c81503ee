"""What `lonjak edge` shows people, for a terminal of 80 columns."""

import textwrap
from collections.abc import Callable, Iterable

from lonjak.shop_tables import WIDTH, labelled
from reference_shop.edges import EdgeProfile
from reference_shop.edges.programs import missing

Missing = Callable[[Iterable[str]], tuple[str, ...]]


def profiles_table(profiles: Iterable[EdgeProfile], missing: Missing = missing) -> str:
    """Each profile: its name, what it does, what it needs and can do, and what the safety probes find in it."""
    return "\n\n".join("\n".join(_profile_lines(profile, missing)) for profile in profiles)


def _profile_lines(profile: EdgeProfile, missing: Missing) -> list[str]:
    absent = missing(profile.programs)
    programs = [f"{name} (not installed)" if name in absent else name for name in profile.programs]
    return [
        profile.name,
        textwrap.fill(profile.sentence, WIDTH, initial_indent="  ", subsequent_indent="  "),
        labelled("  needs", programs),
        labelled("  caches", profile.caches),
        labelled("  purges by", profile.purges),
        labelled("  promises", profile.promises),
        *(
            labelled(f"  {probe}", [f"{expected.answer}: {expected.because}"])
            for probe, expected in profile.safety.items()
        ),
    ]
