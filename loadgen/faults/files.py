"""Files through which the stack is told something: each is whole at every instant, and all its users may read it."""

from pathlib import Path


def replace_text(path: Path, text: str) -> None:
    """Write a file in one step; OSError when it cannot be."""
    fresh = path.with_name(f".{path.name}.new")
    fresh.write_text(text, encoding="utf-8")
    fresh.chmod(0o644)  # a stack of root's lets other users do its work
    fresh.replace(path)
