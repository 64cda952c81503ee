"""One seeded database that every shop with a defect begins from."""

import shutil
from pathlib import Path

import pytest

from tests.shop.database import ask
from tests.shop.defects.sites import PRODUCT_COUNT, Sites, database_url
from tests.shop.processes import RUN_AS, SCHEMA, Postgres, group, seed_shop


@pytest.fixture(scope="session")
def sites(shop_folder: Path, postgres: Postgres, images: Path) -> Sites:
    folder = shop_folder / "defects"
    folder.mkdir()
    if RUN_AS:
        shutil.chown(folder, RUN_AS, group())
    ask(postgres.url, "CREATE DATABASE to_be_spoiled")
    seed_shop(database_url(postgres.url, "to_be_spoiled"), images, SCHEMA, PRODUCT_COUNT)
    return Sites(folder, images, postgres, "to_be_spoiled")
