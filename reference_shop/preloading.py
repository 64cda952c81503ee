"""Imports what libraries put off until it is first needed: by then the files may be out of reach (docs/adr/0003).

Only packages that do so are named here; tests/shop/test_privileges.py finds out which they are.
"""

import pkgutil
from contextlib import suppress
from importlib import import_module

# Resolves its names, and picks its event loop's backend, at their first use.
_LAZY_PACKAGES = ("anyio",)
# Of no use to a server, and each would bring a large package along where that happens to be installed.
_NOT_FOR_SERVING = {"anyio.pytest_plugin", "anyio._backends._trio"}


def import_lazy_packages() -> None:
    """Import every module of theirs that can be imported here."""
    for package in map(import_module, _LAZY_PACKAGES):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if module.name not in _NOT_FOR_SERVING:
                with suppress(ImportError):  # it is made for another platform, or for a package that is absent
                    import_module(module.name)
