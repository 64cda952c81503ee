"""Static files and product pictures, held in memory: read once, before the worker gives up its rights."""

import mimetypes
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from email.utils import formatdate
from hashlib import blake2b
from importlib.resources import files
from pathlib import Path, PurePath

from starlette.requests import Request
from starlette.responses import Response

from reference_shop.domain.errors import NotFound
from reference_shop.web.caching import FINGERPRINTED, PICTURE, is_held

_STATIC_SUFFIXES = {".css", ".js", ".svg"}
_PICTURE_NAME = re.compile(r"([1-9][0-9]{0,9})-(thumb|full)\.jpg")


@dataclass(frozen=True, slots=True)
class HeldFile:
    """A file in memory with its headers."""

    body: bytes
    media_type: str
    headers: Mapping[str, str]

    def answer(self, request: Request) -> Response:
        """Send it, or 304 if the asker has it."""
        if is_held(request, self.headers["etag"]):
            return Response(status_code=304, headers=self.headers)
        return Response(self.body, media_type=self.media_type, headers=self.headers)


class StaticFiles:
    """The package's style sheet, script and drawings under fingerprinted names."""

    def __init__(self) -> None:
        """Read all files."""
        self._addresses: dict[str, str] = {}
        self._held: dict[str, HeldFile] = {}
        for entry in files("reference_shop.web.static").iterdir():
            name = PurePath(entry.name)
            if name.suffix in _STATIC_SUFFIXES:
                self._hold(name, entry.read_bytes())

    def address(self, name: str) -> str:
        """Return where a file is served; raises KeyError for none of ours."""
        return self._addresses[name]

    async def serve(self, request: Request) -> Response:
        """Answer `/static/{name}`."""
        held = self._held.get(request.path_params["name"])
        if held is None:
            raise NotFound("Berkas ini tidak ada.")
        return held.answer(request)

    def _hold(self, name: PurePath, body: bytes) -> None:
        digest = blake2b(body, digest_size=6).hexdigest()
        served = f"{name.stem}.{digest}{name.suffix}"
        media_type = mimetypes.types_map[name.suffix]
        self._addresses[name.name] = f"/static/{served}"
        self._held[served] = HeldFile(body, media_type, {"cache-control": FINGERPRINTED, "etag": f'"{digest}"'})


class Pictures:
    """Product pictures: an address per product, a file per drawing."""

    def __init__(self, folder: Path, numbers: Sequence[int]) -> None:
        """Read the pool from `folder`; `numbers` says which drawing each product shows, product 1 first."""
        self._numbers = numbers
        self._held = {path.name: _hold_picture(path) for path in folder.glob("*.jpg")}

    async def serve(self, request: Request) -> Response:
        """Answer `/images/products/{id}-{thumb|full}.jpg`."""
        match = _PICTURE_NAME.fullmatch(request.path_params["name"])
        if match is None or int(match[1]) > len(self._numbers):
            raise NotFound("Gambar ini tidak ada.")
        number = self._numbers[int(match[1]) - 1]
        return self._held[f"{number:03d}-{match[2]}.jpg"].answer(request)


def _hold_picture(path: Path) -> HeldFile:
    body = path.read_bytes()
    headers = {
        "cache-control": PICTURE,
        "etag": f'"{blake2b(body, digest_size=9).hexdigest()}"',
        "last-modified": formatdate(path.stat().st_mtime, usegmt=True),
    }
    return HeldFile(body, "image/jpeg", headers)
