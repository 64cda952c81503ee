"""latency.hlog: an HdrHistogram interval log (version 1.3) with tags, one line per second and tag.

The workers' counts go in (`HlogWriter`), analysis reads them back (`read_hlog`), and so does any HdrHistogram tool.
Histograms are encoded here, from sparse counts, in HdrHistogram's V2 compressed form (zigzag LEB128, runs of zeros
as negative numbers, zlib, base64; https://github.com/HdrHistogram/HdrHistogram): the library's encoder needs a full
array and about a millisecond per histogram, and its log writer knows no tags.
"""

import base64
import binascii
import gzip
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from io import TextIOWrapper
from pathlib import Path
from typing import Self

from loadgen.errors import RunDirectoryProblem
from loadgen.histogram import HIGHEST_US, LOWEST_US, SIGNIFICANT_DIGITS, Histogram

_COMPRESSED_COOKIE = 0x1C849314
_PAYLOAD_COOKIE = 0x1C849313
_OUTER = struct.Struct(">ii")
_PAYLOAD = struct.Struct(">iiiiqqd")
_MAX_US_PER_MS = 1000
_ONE_BYTE = 64  # of LEB128 holds zigzag numbers from -64 to 63


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
    try:
        payload = zlib.decompress(base64.b64decode(text, validate=True)[_OUTER.size :])
        cookie, length, _, digits, _, _, _ = _PAYLOAD.unpack_from(payload)
    except (binascii.Error, zlib.error, struct.error) as error:
        raise ValueError(f"not an HdrHistogram: {error}") from None
    if cookie != _PAYLOAD_COOKIE or digits != SIGNIFICANT_DIGITS:
        raise ValueError("not an HdrHistogram of version 2 with 3 significant digits")
    counts: dict[int, int] = {}
    index = 0
    for number in _zigzags(payload[_PAYLOAD.size : _PAYLOAD.size + length]):
        if number < 0:
            index -= number
            continue
        if number:
            counts[index] = number
        index += 1
    return Histogram.from_counts(counts)


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
    packed = path.with_name(path.name + ".gz")
    if not path.exists() and not packed.exists():
        return
    with _open_text(path if path.exists() else packed) as file:
        number = 0
        for number, line in enumerate(_whole_lines(file, path), start=1):
            if line.startswith(("#", '"')):
                continue
            try:
                yield _parse_line(line)
            except ValueError as error:
                raise RunDirectoryProblem(f"{path.name} is damaged at line {number}: {error}") from None


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


def _parse_line(line: str) -> HlogLine:
    fields = line.split(",")
    if len(fields) != 5 or not fields[0].startswith("Tag="):
        raise ValueError("not an interval with a tag")
    return HlogLine(int(float(fields[1])), Tag.parse(fields[0][4:]), decode(fields[4]))
