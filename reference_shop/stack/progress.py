"""What a supervisor tells its starter, as JSON lines on standard output, until the stack is ready or has failed."""

import contextlib
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from reference_shop.stack.identity import ProcessIdentity


@dataclass(frozen=True, slots=True)
class Progress:
    """One step of the start; `done` of `total` where it can be counted."""

    step: str
    done: int | None = None
    total: int | None = None


@dataclass(frozen=True, slots=True)
class Started:
    """The supervisor itself runs."""

    supervisor: ProcessIdentity


@dataclass(frozen=True, slots=True)
class Ready:
    """The stack is ready; `document` is its stack.json."""

    document: Path


@dataclass(frozen=True, slots=True)
class Failed:
    """The start failed and everything was stopped again."""

    sentence: str
    log_tail: tuple[str, ...] = ()


Message = Progress | Started | Ready | Failed
_KINDS: dict[str, type[Message]] = {kind.__name__: kind for kind in (Progress, Started, Ready, Failed)}


class Reporter:
    """Writes messages to a descriptor; goes silent when nobody reads any more."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def send(self, message: Message) -> None:
        """Write one message as a line."""
        line = json.dumps({"kind": type(message).__name__, **asdict(message)}, default=str) + "\n"
        with contextlib.suppress(OSError):
            os.write(self._descriptor, line.encode())

    def close(self) -> None:
        """End the messages, so that the reader need not wait for this process."""
        os.close(self._descriptor)


def parse(line: bytes) -> Message:
    """The message that a line holds. Raises ValueError, KeyError or TypeError for anything else."""
    values = json.loads(line)
    kind = _KINDS[values.pop("kind")]
    if kind is Started:
        return Started(ProcessIdentity(**values["supervisor"]))
    if kind is Ready:
        return Ready(Path(values["document"]))
    if kind is Failed:
        return Failed(values["sentence"], tuple(values["log_tail"]))
    return Progress(**values)
