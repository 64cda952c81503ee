"""A capacity study's junit.xml: one case for the capacity, one for every objective that was left for the end."""

from xml.etree import ElementTree as ET

from analysis.capacity import CapacityAnalysis
from reports import capacity_wording, wording
from reports.junit import case, clean, document, error


def render(study: CapacityAnalysis) -> str:
    """The document, one suite."""
    manifest, record, verdict = study.manifest, study.record, study.verdict
    suite = ET.Element("testsuite", name=clean(f"lonjak.capacity.{manifest.scenario}"))
    classname = f"{manifest.scenario}.capacity"
    found = {"found": "pass", "below": "fail"}.get(record.found, "unknown")
    case(suite, classname, "the capacity is known", found, capacity_wording.answer(study))
    for one in study.left:
        case(suite, f"{manifest.scenario}.objectives", str(one.objective), one.outcome, one.reason)
    for violated in study.run.audit.findings:
        if violated.outcome != "none":
            told = violated.violated or violated.doubt
            case(suite, f"{manifest.scenario}.audit", wording.INVARIANTS[violated.invariant], violated.outcome, told)
    if verdict.verdict == "unknown":
        error(suite, classname, "the study gives a verdict", verdict.reasons[0], str(verdict.cause))
    else:
        case(suite, classname, "the study gives a verdict", "pass", "")
    return document(suite, manifest.started_at, study.run.series.end_s)
