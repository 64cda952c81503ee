"""The few pages that an edge makes itself: in Indonesian before the shop, whose shoppers read them, else in English.

They contain no `'`, `"}` or `$`, which end strings in nginx's and Varnish's files.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class _Words:
    title: str
    text: str


_SHOP: Mapping[str, _Words] = {
    "unreachable": _Words(
        "Toko sedang tidak dapat dihubungi",
        "Kami sedang memulihkannya. Silakan coba lagi sebentar lagi. Jika Anda baru saja mengirim pesanan, "
        "lihat dahulu di halaman Pesanan saya: mungkin pesanan itu sudah kami terima.",
    ),
    "busy": _Words("Toko sedang sangat ramai", "Silakan coba lagi sebentar lagi."),
    "too_many": _Words("Terlalu banyak permintaan", "Silakan tunggu sedetik, lalu coba lagi."),
    "blocked": _Words(
        "Permintaan ini ditolak", "Isinya tampak seperti serangan. Silakan ubah isian Anda, lalu coba lagi."
    ),
}
_ELSEWHERE: Mapping[str, _Words] = {
    "unreachable": _Words(
        "The site cannot be reached",
        "Please try again in a moment. If you were just sending something, look first whether it has arrived.",
    ),
    "busy": _Words("The site is very busy", "Please try again in a moment."),
    "too_many": _Words("Too many requests", "Please wait for a second, and try again."),
    "blocked": _Words("This request was refused", "What it contains looks like an attack."),
}


def own_pages(*, is_shop: bool) -> dict[str, str]:
    """HTML by name: "unreachable", "busy", "too_many" and "blocked"."""
    language, words = ("id", _SHOP) if is_shop else ("en", _ELSEWHERE)
    return {name: _page(language, said) for name, said in words.items()}


def _page(language: str, words: _Words) -> str:
    return (
        f'<!doctype html><html lang="{language}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{words.title}</title></head><body><h1>{words.title}</h1><p>{words.text}</p></body></html>"
    )
