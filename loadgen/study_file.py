"""What the manifests of all kinds of studies have in common: how they are written, read, and found damaged."""

import json
from collections.abc import Callable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from loadgen.errors import RunDirectoryProblem
from loadgen.records import strict_json

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

SCHEMA_VERSION = 1
_Manifest = TypeVar("_Manifest", bound="DataclassInstance")


def write_object(values: Mapping[str, Any], path: Path) -> None:
    """Replace a JSON file in one step, so that a reader sees the old or the new one whole."""
    fresh = path.with_name(path.name + ".new")
    fresh.write_text(json.dumps(values, indent=2, ensure_ascii=False, allow_nan=False) + "\n", encoding="utf-8")
    fresh.replace(path)


def read_object(path: Path) -> dict[str, Any]:
    """The JSON object in `path`; RunDirectoryProblem when it cannot be read or holds something else."""
    try:
        values = strict_json(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise RunDirectoryProblem(f"{path} cannot be read: {error}") from None
    if not isinstance(values, dict):
        raise RunDirectoryProblem(f"{path} is damaged: it holds no JSON object")
    return dict(values)


def read_versioned(path: Path, kind: type[_Manifest], typed: Callable[[dict[str, Any]], dict[str, Any]]) -> _Manifest:
    """The dataclass in `path`; `typed` turns JSON's types into its own.

    RunDirectoryProblem when it is damaged or of another format version.
    """
    values = read_object(path)
    if values.get("schema_version") != SCHEMA_VERSION:
        found = values.get("schema_version")
        raise RunDirectoryProblem(f"{path} has format version {found}; this version reads {SCHEMA_VERSION} only")
    if unknown := sorted(set(values) - {entry.name for entry in fields(kind)}):
        raise RunDirectoryProblem(f"{path} is damaged: unknown keys {', '.join(unknown)}")
    try:
        return kind(**typed(values))
    except KeyError as error:
        raise RunDirectoryProblem(f"{path} is damaged: {error} is missing") from None
    except (TypeError, ValueError, AttributeError) as error:
        raise RunDirectoryProblem(f"{path} is damaged: {error}") from None


def check_label(label: str) -> str:
    """The label of a part, which names its directory; ValueError when it would lie outside the study."""
    if "/" in label or label in ("", ".", ".."):
        raise ValueError(f"the part {label!r} lies outside the study")
    return label
