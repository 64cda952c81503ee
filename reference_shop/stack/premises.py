"""What all parts of a stack share: what was wanted, where it lives, who keeps processes up, who hears of the start."""

from collections.abc import Callable
from dataclasses import dataclass

from reference_shop.stack.folder import StackFolder
from reference_shop.stack.progress import Progress
from reference_shop.stack.services import Services
from reference_shop.stack.settings import StackSettings


@dataclass(frozen=True, slots=True)
class Premises:
    """The ground that the parts of a stack are built on; `report` hears of each step of the start."""

    settings: StackSettings
    folder: StackFolder
    services: Services
    report: Callable[[Progress], None]

    def say(self, step: str, done: int | None = None, total: int | None = None) -> None:
        """Tell of a step of the start."""
        self.report(Progress(step, done, total))
