"""A CI job's own page: the run's summary.md, appended where GitHub Actions reads it (`GITHUB_STEP_SUMMARY`).

Whoever drives a run calls it once, at the end; drawing the documents again does not. The file belongs to the whole job,
so it is appended to. https://docs.github.com/actions/reference/workflow-commands-for-github-actions#adding-a-job-summary
"""

from collections.abc import Mapping
from pathlib import Path

from loadgen.rundir import RunDirectory
from lonjak.progress import Progress

FILE = "GITHUB_STEP_SUMMARY"
_OWN_LINK = "](report.html)"
_RUN = ("GITHUB_SERVER_URL", "GITHUB_REPOSITORY", "GITHUB_RUN_ID")


def append(report: Path, environment: Mapping[str, str], progress: Progress) -> None:
    """Append the summary that lies beside a report; nothing where no job asks for it, a warning where it cannot be."""
    target = environment.get(FILE)
    if not target:
        return
    summary = RunDirectory(report.parent).summary_md
    try:
        text = linked(summary.read_text(encoding="utf-8"), environment)
        with Path(target).open("a", encoding="utf-8") as page:
            page.write(f"{text}\n")
    except OSError as error:
        progress.say(f"warning: the job's summary was not written to {target}: {error.strerror}; {summary} has it")


def linked(summary: str, environment: Mapping[str, str]) -> str:
    """The summary with its link to report.html, which lies beside it, leading to the job's artifacts instead."""
    where = [environment.get(name, "") for name in _RUN]
    if not all(where):
        return summary
    server, repository, run_id = where
    return summary.replace(_OWN_LINK, f"]({server}/{repository}/actions/runs/{run_id}#artifacts)")
