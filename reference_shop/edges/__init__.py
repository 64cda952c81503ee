"""Edges: what stands between shoppers and the shop, one profile each; docs/edges.md explains them."""

from reference_shop.edges.options import EdgeOptions
from reference_shop.edges.profiles import PROFILES, EdgeProfile, Expectation

__all__ = ["PROFILES", "EdgeOptions", "EdgeProfile", "Expectation"]
