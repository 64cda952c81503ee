"""junit.xml: what CI servers show as test cases, one an objective, an invariant of the audit and a check.

Written to the dialect that Jenkins, GitLab and GitHub's actions read: `failure` for a broken objective, `skipped` for
one that could not be decided, and an `error` in a case of its own when the whole run has no verdict, so that a CI
server never shows such a run as green. What was not checked, invariant or leak, is no case.
"""

import re
from datetime import UTC, datetime
from xml.etree import ElementTree as ET

from analysis.run import Analysis
from reports import network_words, wording

# XML 1.0 allows no other control characters, not even escaped.
_FORBIDDEN = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_CASES = {"fail": "failure", "unknown": "skipped"}


def render(analysis: Analysis) -> str:
    """The document, one suite."""
    manifest = analysis.manifest
    scenario = clean(manifest.scenario)
    suite = ET.Element("testsuite", name=f"lonjak.{scenario}")
    for decision in analysis.verdict.decisions:
        case(suite, f"{scenario}.objectives", str(decision.objective), decision.outcome, decision.reason)
    for found in analysis.audit.findings:
        if found.outcome != "none":
            told = found.violated or found.doubt
            case(suite, f"{scenario}.audit", wording.INVARIANTS[found.invariant], found.outcome, told)
    for check in analysis.safety.checks:
        told = analysis.safety.violated(check)
        case(suite, f"{scenario}.safety", network_words.check_words(check), "fail" if told else "pass", told)
    verdict = analysis.verdict
    if verdict.stopped:
        case(suite, f"{scenario}.run", "the run went on to its end", "fail", verdict.stopped.sentence)
    if verdict.verdict == "unknown":
        error(suite, f"{scenario}.run", "the run gives a verdict", verdict.reasons[0], str(verdict.cause))
    else:
        case(suite, f"{scenario}.run", "the run gives a verdict", "pass", "")
    return document(suite, manifest.started_at, analysis.series.end_s)


def case(suite: ET.Element, classname: str, name: str, outcome: str, reason: str) -> None:
    """Add a test case: passed, failed, or skipped as it could not be decided."""
    added = ET.SubElement(suite, "testcase", classname=clean(classname), name=clean(name))
    if tag := _CASES.get(outcome):
        ET.SubElement(added, tag, message=clean(reason))


def error(suite: ET.Element, classname: str, name: str, reason: str, kind: str) -> None:
    """Add a case that says why there is no verdict."""
    added = ET.SubElement(suite, "testcase", classname=clean(classname), name=clean(name))
    ET.SubElement(added, "error", message=clean(reason), type=kind)


def document(suite: ET.Element, started_at: float, duration_s: float) -> str:
    """The document of one suite, with its counts."""
    counts = {tag: str(len(suite.findall(f"testcase/{tag}"))) for tag in ("failure", "error", "skipped")}
    suite.set("tests", str(len(suite.findall("testcase"))))
    suite.set("failures", counts["failure"])
    suite.set("errors", counts["error"])
    suite.set("skipped", counts["skipped"])
    suite.set("timestamp", datetime.fromtimestamp(started_at, UTC).strftime("%Y-%m-%dT%H:%M:%S"))
    suite.set("time", f"{duration_s:.0f}")
    root = ET.Element("testsuites")
    root.append(suite)
    ET.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def clean(text: str) -> str:
    """A text without the characters that XML cannot hold."""
    return _FORBIDDEN.sub("�", text)
