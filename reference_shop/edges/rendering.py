"""Fills in the templates of `templates/`, and those of users, which may include ours."""

from collections.abc import Mapping

import jinja2
import jinja2.meta


def render(template: str, values: Mapping[str, object]) -> str:
    """The text of one of our templates."""
    return _environment().get_template(template).render(values)


def render_text(text: str, values: Mapping[str, object]) -> str:
    """The text of a template that is given as text. Raises jinja2.TemplateError for what is not one."""
    return _environment().from_string(text).render(values)


def undeclared_names(text: str) -> set[str]:
    """The names that a template of somebody else's wants to be filled in. Raises ValueError for what is no template."""
    try:
        return jinja2.meta.find_undeclared_variables(_environment().parse(text))
    except jinja2.TemplateSyntaxError as error:
        raise ValueError(f"line {error.lineno}: {error.message}") from None


def _environment() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.PackageLoader("reference_shop.edges"),
        undefined=jinja2.StrictUndefined,
        autoescape=False,  # noqa: S701  (no HTML of anybody else's)
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
