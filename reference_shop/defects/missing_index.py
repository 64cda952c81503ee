"""missing-index: the indexes of category lists and of search are not made.

They were in the script for the test database, or their migration failed unnoticed. With a hundred products nobody sees
it; with twenty thousand every list reads and sorts the whole table, and every search takes it apart word by word.
"""

from dataclasses import replace as with_changes

from reference_shop.defects._planting import replace
from reference_shop.seed import __main__ as program
from reference_shop.seed.schema import TableStatements, load_statements

_MISSING = ("products_by_category", "products_by_price", "products_by_listing", "products_document")


def _load() -> TableStatements:
    statements = load_statements()
    indexes = statements.indexes.split(";")
    kept = [index for index in indexes if not any(f"CREATE INDEX {name} " in index for name in _MISSING)]
    if len(kept) != len(indexes) - len(_MISSING):
        raise LookupError(f"the shop has no such indexes: {', '.join(_MISSING)}")
    return with_changes(statements, indexes=";".join(kept))


def plant() -> None:
    """Replace the reading of the seed's statements; looks already now whether the indexes are among them."""
    statements = _load()
    replace(program, "load_statements", lambda: statements)
