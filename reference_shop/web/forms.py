"""Reads posted forms: what is missing, too long, not a number or sent twice is a 400, and nothing is changed."""

import re
from collections.abc import Mapping
from urllib.parse import parse_qsl

from starlette.requests import Request

from reference_shop.domain.errors import InvalidInput

MAX_BODY_BYTES = 16_384
_MAX_FIELDS = 30
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


class Form:
    """A posted form. The readers note problems; `check` raises them all at once."""

    def __init__(self, values: Mapping[str, str]) -> None:
        """Take the fields by name."""
        self.values = values
        self.problems: dict[str, str] = {}

    def text(self, name: str, label: str, longest: int, shortest: int = 1) -> str:
        """Return a line of text, white space trimmed."""
        value = self.values.get(name, "").strip()
        if not shortest <= len(value) <= longest or _CONTROL.search(value):
            self.problems[name] = f"{label} harus diisi dengan {shortest} sampai {longest} huruf."
        return value

    def matching(self, name: str, pattern: re.Pattern[str], sentence: str) -> str:
        """Return a text of a fixed form."""
        value = self.values.get(name, "").strip()
        if not pattern.fullmatch(value):
            self.problems[name] = sentence
        return value

    def number(self, name: str, label: str, least: int, most: int) -> int:
        """Return a whole number."""
        value = self.values.get(name, "").strip()
        if value.isascii() and value.isdecimal() and len(value) <= 12 and least <= int(value) <= most:
            return int(value)
        self.problems[name] = f"{label} harus bilangan dari {least} sampai {most}."
        return least

    def check(self) -> None:
        """Raise InvalidInput if anything was wrong."""
        if self.problems:
            raise InvalidInput(self.problems)


async def read_form(request: Request) -> Form:
    """Return the posted form; raises InvalidInput for anything that no form of ours would send."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded":
        raise InvalidInput({"": "Formulir harus dikirim sebagai application/x-www-form-urlencoded."})
    try:
        body = (await request.body()).decode("ascii")
        fields = parse_qsl(body, keep_blank_values=True, max_num_fields=_MAX_FIELDS, errors="strict")
    except ValueError:
        raise InvalidInput({"": "Isi formulir tidak dapat dibaca."}) from None
    values = dict(fields)
    if len(values) != len(fields):
        raise InvalidInput({"": "Sebuah isian dikirim lebih dari sekali."})
    return Form(values)
