"""The products that are wanted most: the first hundred of a catalogue whose demand falls with the product's number."""

from functools import lru_cache

MOST_WANTED = 100


@lru_cache(maxsize=4096)
def wanted_product(path: str) -> int:
    """The id, 1 to MOST_WANTED, of the product at a page's path, such as /product/17; 0 for any other page."""
    segment = path.partition("?")[0].rpartition("/product/")[2]
    product_id = int(segment) if len(segment) <= 3 and segment.isascii() and segment.isdecimal() else 0
    return product_id if product_id <= MOST_WANTED else 0
