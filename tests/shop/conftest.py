"""One PostgreSQL, one seeded shop, one payment provider and one worker for all tests that do not break them."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from reference_shop.protections import PROTECTIONS
from tests.shop.processes import (
    RUN_AS,
    Postgres,
    Program,
    Workshop,
    group,
    new_postgres,
    seed_shop,
)
from tests.shop.shopper import Shopper


@pytest.fixture(scope="session")
def shop_folder() -> Iterator[Path]:
    """A folder that the unprivileged user owns."""
    folder = Path(tempfile.mkdtemp(prefix="lonjak-test-"))
    if RUN_AS:
        shutil.chown(folder, RUN_AS, group())
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def postgres(shop_folder: Path) -> Iterator[Postgres]:
    server = new_postgres(shop_folder, "data")
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def images(shop_folder: Path) -> Path:
    return shop_folder / "images"


@pytest.fixture(scope="session")
def workshop(shop_folder: Path, postgres: Postgres, images: Path) -> Iterator[Workshop]:
    seed_shop(postgres.url, images)
    with ExitStack() as stack:
        workshop = Workshop(shop_folder, postgres.url, images)
        stack.callback(workshop.close)
        yield workshop


@pytest.fixture(scope="session")
def provider(workshop: Workshop) -> Program:
    return workshop.payment()


@pytest.fixture(scope="session")
def shop(workshop: Workshop, provider: Program) -> Program:
    """One worker, which refuses nobody because the machine of the tests is busy."""
    return workshop.web(provider.url, protections=[name for name in PROTECTIONS if name != "load-shedding"])


@pytest.fixture
def shopper(shop: Program) -> Iterator[Shopper]:
    with Shopper(shop.url) as one:
        yield one
