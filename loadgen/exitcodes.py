"""What a finished command tells the shell; every exit of the project is named here."""

from enum import IntEnum


class ExitCode(IntEnum):
    """Exit codes of `lonjak`, each with the sentence that `--help` prints."""

    PASS = 0
    FAIL = 1
    USAGE = 2
    UNKNOWN = 3
    ENVIRONMENT = 4
    INTERRUPTED = 130

    @property
    def sentence(self) -> str:
        """One sentence for people."""
        return _SENTENCES[self]


_SENTENCES = {
    ExitCode.PASS: "every objective held, and the audit found nothing",
    ExitCode.FAIL: "an objective or the audit failed",
    ExitCode.USAGE: "the command or a file it names is wrong, or the target was refused",
    ExitCode.UNKNOWN: "no verdict: generator-bound, incomplete, or too few samples",
    ExitCode.ENVIRONMENT: "something around it is missing: port taken, target unreachable, program not installed",
    ExitCode.INTERRUPTED: "interrupted",
}
