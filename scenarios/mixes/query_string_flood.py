"""`query-string-flood`: as `catalogue`, but every address carries a parameter of its own, so that no two are the same.

So do links of newsletters and advertisements, which count who clicked them. The page is the same for all of them; a
cache whose keys hold the whole query keeps one copy for each, and finds none of them again.
"""

from __future__ import annotations

from dataclasses import replace

from scenarios.mixes import catalogue

MIX = replace(
    catalogue.MIX,
    name="query-string-flood",
    description="As catalogue, with a parameter of its own in every address, which splits a cache's keys",
    tags_addresses=True,
)
