"""The one way in which a defect gets into the shop."""

import inspect
import sys
from collections.abc import Callable
from types import ModuleType


def replace(owner: object, name: str, value: object) -> None:
    """Put `value` in the place of what `owner`, a module or a class, calls `name`.

    Raises LookupError when nothing has that name there, when another module of the shop has imported what is to be
    replaced by its name and would go on with the sound one, or when a function is to be replaced by one that cannot be
    called like it: a defect that replaces nothing would let every check pass, and one that only breaks shows nothing.
    """
    if name not in vars(owner):
        raise LookupError(f"{owner!r} has no {name} that could be replaced")
    sound = vars(owner)[name]
    if isinstance(owner, ModuleType) and (others := _other_holders(owner, sound)):
        raise LookupError(f"{name} of {owner.__name__} was imported by name: replace it in {', '.join(others)} as well")
    if inspect.isfunction(sound) and callable(value) and not _takes_the_same(value, sound):
        raise LookupError(f"{name} of {owner!r} is called with {inspect.signature(sound)}, its replacement cannot be")
    setattr(owner, name, value)


def _other_holders(home: ModuleType, value: object) -> list[str]:
    """The loaded modules that have a function or class, which `home` defines, under a name of their own."""
    if not callable(value) or getattr(value, "__module__", None) != home.__name__:
        return []
    return [
        module
        for module, loaded in sys.modules.items()
        if module.startswith("reference_shop.")
        and not module.startswith("reference_shop.defects.")
        and loaded is not home
        and any(held is value for held in vars(loaded).values())
    ]


def _takes_the_same(value: Callable[..., object], sound: Callable[..., object]) -> bool:
    parameters = inspect.signature(sound).parameters.values()
    named = {one.name: None for one in parameters if one.kind is inspect.Parameter.KEYWORD_ONLY}
    positional = [None for one in parameters if one.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD]
    try:
        inspect.signature(value).bind(*positional, **named)
    except TypeError:
        return False
    return True
