"""Edges: what stands between shoppers and the shop, one profile each; docs/edges.md explains them."""

from reference_shop.edges.profiles import PROFILES, EdgeProfile

__all__ = ["PROFILES", "EdgeProfile"]
