"""latency.hlog: an HdrHistogram interval log (version 1.3) with tags, one line per second and tag.

The workers' counts go in (`HlogWriter`), analysis reads them back (`read_hlog`), and so does any HdrHistogram tool.
Histograms are encoded here, from sparse counts, in HdrHistogram's V2 compressed form (zigzag LEB128, runs of zeros
as negative numbers, zlib, base64; https://github.com/HdrHistogram/HdrHistogram): the library's encoder needs a full
array and about a millisecond per histogram, and its log writer knows no tags.
"""

import base64
import binascii
import gzip
import re
import struct
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from io import TextIOWrapper
from itertools import islice
from pathlib import Path
from typing import Self, TypeVar

from loadgen.errors import RunDirectoryProblem
from loadgen.histogram import HIGHEST_US, LOWEST_US, SIGNIFICANT_DIGITS, Histogram
from loadgen.records import LONGEST_S

_COMPRESSED_COOKIE = 0x1C849314
_PAYLOAD_COOKIE = 0x1C849313
_OUTER = struct.Struct(">ii")
_PAYLOAD = struct.Struct(">iiiiqqd")
_MAX_US_PER_MS = 1000
_ONE_BYTE = 64  # of LEB128 holds zigzag numbers from -64 to 63
_HEAD_LINES = 5
_START = re.compile(r"#\[StartTime: ([0-9]{1,12}(?:\.[0-9]+)?) ")
_Line = TypeVar("_Line")


@dataclass(frozen=True, slots=True)
class Tag:
    """What a histogram measures: `response_time/product/ok`. A page kind may hold slashes, never commas or blanks."""

    measure: str
    page_kind: str
    result: str

    def __str__(self) -> str:
        return f"{self.measure}/{self.page_kind}/{self.result}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """The tag that `str` made; ValueError when it has fewer than three parts."""
        measure, _, rest = text.partition("/")
        page_kind, slash, result = rest.rpartition("/")
        if not slash:
            raise ValueError(f"{text!r} is not a tag of the form measure/page kind/result")
        return cls(measure, page_kind, result)


@dataclass(frozen=True, slots=True)
class HlogLine:
    """One interval of one tag; `elapsed_s` counts whole seconds from the start of the run."""

    elapsed_s: int
    tag: Tag
    histogram: Histogram


@dataclass(frozen=True, slots=True)
class PackedLine:
    """The same with its histogram as it stands in the log: a row of zigzag LEB128 numbers."""

    elapsed_s: int
    tag: Tag
    body: bytes


def encode(histogram: Histogram) -> str:
    """HdrHistogram's V2 compressed form in base64."""
    body = bytearray()
    following = 0
    for index, count in sorted(histogram.counts.items()):
        gap, following = index - following, index + 1
        if 0 < gap <= _ONE_BYTE:  # zigzag written out: most gaps and counts are small, and calls cost more than they do
            body.append(2 * gap - 1)
        elif gap:
            _append_zigzag(body, -gap)
        if count < _ONE_BYTE:
            body.append(2 * count)
        else:
            _append_zigzag(body, count)
    payload = _PAYLOAD.pack(_PAYLOAD_COOKIE, len(body), 0, SIGNIFICANT_DIGITS, LOWEST_US, HIGHEST_US, 1.0) + body
    compressed = zlib.compress(payload)
    return base64.b64encode(_OUTER.pack(_COMPRESSED_COOKIE, len(compressed)) + compressed).decode("ascii")


def decode(text: str) -> Histogram:
    """The histogram that `encode` wrote; ValueError for anything else."""
    counts: dict[int, int] = {}
    index = 0
    for number in _zigzags(_body(text)):
        if number < 0:
            index -= number
            continue
        if number:
            counts[index] = number
        index += 1
    return Histogram.from_counts(counts)


def _body(text: str) -> bytes:
    """The counts of an encoded histogram, still packed."""
    try:
        payload = zlib.decompress(base64.b64decode(text, validate=True)[_OUTER.size :])
        cookie, length, _, digits, _, _, _ = _PAYLOAD.unpack_from(payload)
    except (binascii.Error, zlib.error, struct.error) as error:
        raise ValueError(f"not an HdrHistogram: {error}") from None
    if cookie != _PAYLOAD_COOKIE or digits != SIGNIFICANT_DIGITS:
        raise ValueError("not an HdrHistogram of version 2 with 3 significant digits")
    if length != len(payload) - _PAYLOAD.size:
        raise ValueError(f"an HdrHistogram of {len(payload) - _PAYLOAD.size} bytes that says {length}")
    return payload[_PAYLOAD.size :]


def _append_zigzag(body: bytearray, number: int) -> None:
    rest = (number << 1) ^ (number >> 63)
    while rest > 0x7F:
        body.append(rest & 0x7F | 0x80)
        rest >>= 7
    body.append(rest)


def _zigzags(body: bytes) -> Iterator[int]:
    rest, shift = 0, 0
    for byte in body:
        rest |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            yield (rest >> 1) ^ -(rest & 1)
            rest, shift = 0, 0


class HlogWriter:
    """Appends intervals to latency.hlog while the run goes on; `close` leaves it gzipped.

    Several lines with the same second and tag add up, so late counts are simply appended.
    """

    def __init__(self, path: Path, started_at: float) -> None:
        self._path = path
        self._file = path.open("w", encoding="ascii")
        self._file.write("#[Histogram log format version 1.3]\n")
        self._file.write(f"#[StartTime: {started_at:.3f} (seconds since epoch)]\n")
        self._file.write('"StartTimestamp","Interval_Length","Interval_Max","Interval_Compressed_Histogram"\n')

    def write(self, elapsed_s: int, tag: str, histogram: Histogram, duration_s: float = 1.0) -> None:
        """Append the counts of one interval that began `elapsed_s` after the start."""
        longest_ms = histogram.max_us / _MAX_US_PER_MS
        self._file.write(f"Tag={tag},{elapsed_s:.3f},{duration_s:.3f},{longest_ms:.3f},{encode(histogram)}\n")

    def flush(self) -> None:
        """Hand everything to the operating system, so that a killed process loses nothing of it."""
        self._file.flush()

    def close(self) -> None:
        """Close the log and leave it as latency.hlog.gz."""
        self._file.close()
        packed = self._path.with_name(self._path.name + ".gz")
        with self._path.open("rb") as plain, gzip.GzipFile(packed, "wb", mtime=0) as target:
            while chunk := plain.read(1 << 20):
                target.write(chunk)
        self._path.unlink()


def read_hlog(path: Path) -> Iterator[HlogLine]:
    """The intervals of `path` or `path`.gz, in the order written; nothing when neither is there.

    A last line that a killed process left torn is dropped; any other damage raises RunDirectoryProblem.
    """
    return _read(path, lambda elapsed_s, tag, text: HlogLine(elapsed_s, tag, decode(text)))


def read_packed(path: Path) -> Iterator[PackedLine]:
    """The same intervals, with their histograms left packed: for who unpacks many at once."""
    return _read(path, lambda elapsed_s, tag, text: PackedLine(elapsed_s, tag, _body(text)))


def log_started_at(path: Path) -> float | None:
    """The start of the run, in seconds since the epoch, as the log's head has it; None where it does not say."""
    with suppress(FileNotFoundError), _open_text(_existing(path)) as file:
        for line in islice(_whole_lines(file, path), _HEAD_LINES):
            if found := _START.match(line):
                return float(found[1])
    return None


def _read(path: Path, made: Callable[[int, Tag, str], _Line]) -> Iterator[_Line]:
    found = _existing(path)
    if not found.exists():
        return
    tags: dict[str, Tag] = {}
    with _open_text(found) as file:
        for number, line in enumerate(_whole_lines(file, path), start=1):
            if line.startswith(("#", '"')):
                continue
            try:
                elapsed_s, tag, text = _parse_line(line)
                yield made(elapsed_s, tags.get(tag) or tags.setdefault(tag, Tag.parse(tag)), text)
            except (ValueError, OverflowError) as error:
                raise RunDirectoryProblem(f"{path.name} is damaged at line {number}: {error}") from None


def _existing(path: Path) -> Path:
    return path if path.exists() else path.with_name(path.name + ".gz")


def _open_text(path: Path) -> TextIOWrapper:
    if path.suffix == ".gz":
        return TextIOWrapper(gzip.open(path, "rb"), encoding="ascii", errors="replace")
    return path.open(encoding="ascii", errors="replace")


def _whole_lines(file: TextIOWrapper, path: Path) -> Iterator[str]:
    try:
        for line in file:
            if line.endswith("\n"):
                yield line[:-1]
    except (EOFError, OSError, zlib.error) as error:
        raise RunDirectoryProblem(f"{path.name} is damaged: {error}") from None


def parse_line(line: str) -> HlogLine:
    """An interval from its line, without the line's end; ValueError or OverflowError for anything else."""
    elapsed_s, tag, text = _parse_line(line)
    return HlogLine(elapsed_s, Tag.parse(tag), decode(text))


def _parse_line(line: str) -> tuple[int, str, str]:
    """Second, tag and histogram of a line, as they stand there."""
    fields = line.split(",")
    if len(fields) != 5 or not fields[0].startswith("Tag="):
        raise ValueError("not an interval with a tag")
    elapsed_s = float(fields[1])
    if not 0 <= elapsed_s < LONGEST_S:
        raise ValueError(f"second {fields[1]} lies outside of every run")
    return int(elapsed_s), fields[0][4:], fields[4]
