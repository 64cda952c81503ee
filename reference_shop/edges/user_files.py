"""A user's own configuration file: which program it is for, and what is wrong with it before anything is started."""

from pathlib import Path

from reference_shop.edges.rendering import undeclared_names

# What a template of theirs may name; reference_shop/edges/custom.py says what each is.
NAMES_FOR_NGINX = frozenset(
    (
        *(
            "port",
            "origin",
            "origin_address",
            "host_header",
            "host_key",
            "worker_count",
            "file_limit",
            "access_log",
            "pid",
        ),
        *("name", "is_shop", "scheme", "personal", "pages"),
    )
)
NAMES_FOR_VARNISH = frozenset(("origin", "name", "is_shop", "scheme", "personal", "pages"))


def is_vcl(config: str) -> bool:
    """Whether a file is meant for Varnish; any other is nginx's."""
    return config.endswith(".vcl")


def read(config: Path) -> str:
    """The file's text. Raises ValueError, one sentence."""
    try:
        return config.read_text(encoding="utf-8")
    except OSError as error:
        raise ValueError(f"the edge configuration {config} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ValueError(f"the edge configuration {config} cannot be read: it is not UTF-8 text") from None


def problems(config: Path) -> list[str]:
    """Everything that can be said of the file without filling it in, one sentence each."""
    known = NAMES_FOR_VARNISH if is_vcl(config.name) else NAMES_FOR_NGINX
    try:
        unknown = undeclared_names(read(config)) - known
    except ValueError as problem:
        said = str(problem)
        return [said if str(config) in said else f"the edge configuration {config} is no template, {said}"]
    return [
        f"the edge configuration {config} names {name!r}, which is none of {', '.join(sorted(known))}"
        for name in sorted(unknown)
    ]
