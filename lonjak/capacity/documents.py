"""From a recorded search to its figures, verdict and documents, those of its run included."""

from loadgen.capacity_study import CapacityManifest
from loadgen.exitcodes import ExitCode
from loadgen.studydir import StudyDirectory
from lonjak.documents import Answer, draw

_CODES = {"pass": ExitCode.PASS, "fail": ExitCode.FAIL, "unknown": ExitCode.UNKNOWN}


def draw_capacity(study: StudyDirectory) -> Answer:
    """Analyse a study and write summary.json, verdict.json, report.html, summary.md and junit.xml into it.

    Its run is drawn too. Raises RunDirectoryProblem when either is damaged; EnvironmentProblem when the disk is full.
    """
    import analysis.capacity  # noqa: PLC0415 - pandas and matplotlib take a second to load
    import reports.capacity  # noqa: PLC0415
    from reports import capacity_wording  # noqa: PLC0415

    for part in CapacityManifest.read(study.manifest).parts:
        draw(study.part(part))
    analysed = analysis.capacity.capacity(study)
    study.replace(analysis.capacity.documents(study, analysed) | reports.capacity.documents(study, analysed))
    verdict = analysed.verdict
    sentence = f"{verdict.verdict}: {capacity_wording.answer(analysed)}"
    if verdict.verdict != "pass":
        sentence = " ".join([sentence, *capacity_wording.reasons(analysed)[:1]])
    code = ExitCode.INTERRUPTED if verdict.cause == "interrupted" else _CODES[verdict.verdict]
    return Answer(sentence, study.report, code)
