"""What `lonjak shop status` and `lonjak edge status` say of running stacks, for people or for programs."""

import json
import time
from collections.abc import Sequence
from dataclasses import asdict

from lonjak.shop_tables import stack_table
from reference_shop.stack.document import StackDocument


def status(stacks: Sequence[StackDocument], *, as_json: bool) -> str:
    """A table for each of the stacks, or all of them as one JSON list, without their secrets."""
    return json.dumps([_public(stack) for stack in stacks]) if as_json else "\n\n".join(map(_shown, stacks))


def _public(stack: StackDocument) -> dict[str, object]:
    """The document without its secret, and how long the stack has run."""
    values = asdict(stack)
    del values["ops_token"]
    return values | {"uptime_s": round(_uptime_s(stack), 1)}


def _shown(stack: StackDocument) -> str:
    return stack_table(stack, _uptime_s(stack))


def _uptime_s(stack: StackDocument) -> float:
    return time.time() - stack.started_at
