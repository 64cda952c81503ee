"""Every error that a user can cause, each one clear sentence: what, which value, the limit, what to do next.

LonjakError
├── UsageProblem            exit 2: the command, or a file it names, is wrong
│   ├── ConfigProblem       all problems of a configuration at once
│   ├── TargetRefused       a host that nobody allowed
│   └── RunDirectoryProblem not a run, damaged, or of another format version
├── TooLittleKnown          exit 3: a run does not tell what is asked of it
└── EnvironmentProblem      exit 4: something around the command is missing
    ├── TargetUnreachable   nothing answers at the address
    ├── TargetUnrecognised  something answers, but not the shop that the scenario knows
    ├── PortTaken           somebody else listens there
    ├── ProgramMissing      a program that has to be installed
    └── StackMissing        no running stack, and no target given
"""

from collections.abc import Sequence

from loadgen.exitcodes import ExitCode


class LonjakError(Exception):
    """The root: `str(error)` is the sentence for the user, `exit_code` what the command ends with."""

    exit_code = ExitCode.UNKNOWN


class UsageProblem(LonjakError):
    """The command or a file that it names is wrong."""

    exit_code = ExitCode.USAGE


class ConfigProblem(UsageProblem):
    """Everything that is wrong with a configuration, in one go."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


class TargetRefused(UsageProblem):
    """A host that is neither loopback nor allowed."""


class RunDirectoryProblem(UsageProblem):
    """Not a run directory, a damaged one, or one of a format this version does not read."""


class TooLittleKnown(LonjakError):
    """What a run recorded does not answer what was asked of it."""


class EnvironmentProblem(LonjakError):
    """Something around the command is missing or in the way."""

    exit_code = ExitCode.ENVIRONMENT


class TargetUnreachable(EnvironmentProblem):
    """Nothing answers at the target's address."""


class TargetUnrecognised(EnvironmentProblem):
    """The target answers, but is not a shop that the scenario's storefront knows."""


class PortTaken(EnvironmentProblem):
    """A port is held by somebody else."""


class ProgramMissing(EnvironmentProblem):
    """A program is not installed."""


class StackMissing(EnvironmentProblem):
    """No stack runs, and no target was given."""
