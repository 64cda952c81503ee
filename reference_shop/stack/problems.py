"""What can go wrong around the stack, each one sentence for the user.

StackProblem            something on this machine is missing or in the way
├── PortHeld            somebody else listens there
├── ProgramAbsent       a program that has to be installed
└── StartFailed         a process of the stack did not come up; carries the last lines of its log
SettingsProblem         the settings are wrong: all problems at once
"""

from collections.abc import Sequence


class StackProblem(Exception):
    """Something on this machine is missing or in the way; `str(problem)` is the sentence."""


class PortHeld(StackProblem):
    """A port is held by somebody else."""


class ProgramAbsent(StackProblem):
    """A program is not installed."""


class StartFailed(StackProblem):
    """A process of the stack ended or stayed silent while it was started; `log_tail` are the last lines it logged."""

    def __init__(self, sentence: str, log_tail: Sequence[str] = ()) -> None:
        lines = (f"  {line}" for line in log_tail)
        super().__init__("\n".join((f"{sentence}; its log ends with:", *lines)) if log_tail else sentence)
        self.sentence = sentence
        self.log_tail = tuple(log_tail)


class SettingsProblem(Exception):
    """Everything that is wrong with the settings, in one go."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)
