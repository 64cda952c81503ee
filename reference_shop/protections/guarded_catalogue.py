"""Puts the catalogue's protection around it."""

from collections.abc import Collection

from reference_shop.protections.catalogue_cache import CachedCatalogue
from reference_shop.services.catalogue import Catalogue


def guard_catalogue(catalogue: Catalogue, names: Collection[str]) -> Catalogue:
    """Return the catalogue with its cache if `names` holds it; other names are ignored."""
    return CachedCatalogue(catalogue) if "catalogue-cache" in names else catalogue
