"""Runs against a stack that stays up: a lost order, a foreign locustfile, plain Locust."""

import asyncio
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import asyncpg  # type: ignore[import-untyped,unused-ignore]
import pytest

from loadgen.rundir import RunDirectory
from tests.databases import Server
from tests.e2e.conftest import ROOT, Place, new_place

TUTORIAL = Path(__file__).with_name("tutorial_locustfile.py")
