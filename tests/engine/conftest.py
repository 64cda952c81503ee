"""Importing Locust patches this pytest process, which is why the engine's tests have one of their own."""

import warnings
from collections.abc import Iterator

import pytest

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # pytest's plugins have imported ssl before; nothing of ours uses their copy
    import locust  # noqa: F401

from tests.engine.scripted_shop import ScriptedShop, scripted_shop


@pytest.fixture
def shop() -> Iterator[ScriptedShop]:
    with scripted_shop() as running:
        yield running
