"""A CI job's own page gets the run's summary, and costs no run its verdict."""

from pathlib import Path

import pytest

from lonjak import job_summary
from lonjak.progress import Progress

ACTIONS = {
    "GITHUB_SERVER_URL": "https://github.com",
    "GITHUB_REPOSITORY": "toko/shop",
    "GITHUB_RUN_ID": "17",
}
TEXT = "## ✅ Pass: evening\n\nThe evidence: [report.html](report.html)\n"


@pytest.fixture
def report(tmp_path: Path) -> Path:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "summary.md").write_text(TEXT, encoding="utf-8")
    return tmp_path / "run" / "report.html"


def test_the_summary_is_appended_to_what_other_steps_wrote(report: Path, tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# Built\n", encoding="utf-8")
    job_summary.append(report, {job_summary.FILE: str(page)}, Progress())
    assert page.read_text(encoding="utf-8") == f"# Built\n{TEXT}\n"


def test_its_link_leads_to_the_jobs_artifacts(report: Path, tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    job_summary.append(report, ACTIONS | {job_summary.FILE: str(page)}, Progress())
    [link] = [line for line in page.read_text(encoding="utf-8").splitlines() if line.startswith("The evidence")]
    assert link == "The evidence: [report.html](https://github.com/toko/shop/actions/runs/17#artifacts)"


def test_a_page_that_cannot_be_written_is_a_warning(
    report: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    job_summary.append(report, {job_summary.FILE: str(tmp_path / "no" / "page.md")}, Progress())
    said = capsys.readouterr()
    assert (said.out, said.err.startswith("warning: the job's summary was not written to ")) == ("", True)
    assert said.err.endswith(f"No such file or directory; {report.parent}/summary.md has it\n")


@pytest.mark.parametrize("environment", [{}, {job_summary.FILE: ""}])
def test_outside_of_a_job_nothing_is_written(
    environment: dict[str, str], report: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    job_summary.append(report, environment, Progress())
    assert (sorted(tmp_path.iterdir()), capsys.readouterr().err) == ([report.parent], "")
