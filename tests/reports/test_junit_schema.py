"""junit.xml against the schema that CI servers publish, by xmllint (libxml2-utils)."""

import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from analysis.run import analyse
from reports import junit
from tests.recorded_run import History, edge_lab, ordinary

SCHEMA = Path(__file__).with_name("junit.xsd")
XMLLINT = shutil.which("xmllint")
pytestmark = pytest.mark.skipif(XMLLINT is None, reason="xmllint is not installed (apt-get install libxml2-utils)")


def complaints(document: Path) -> str:
    """What xmllint says of a document that is not as it must be; nothing otherwise."""
    found = subprocess.run(
        [str(XMLLINT), "--noout", "--schema", str(SCHEMA), str(document)], capture_output=True, text=True, check=False
    )
    return found.stderr if found.returncode else ""


def missed() -> History:
    """An objective missed, one undecided, an order lost."""
    history = ordinary()
    history.outage(20, 30)
    history.order(5)
    assert history.objectives is not None
    history.objectives += 'response_time_ms.checkout.p95 = "< 500"\n'
    return history


def empty() -> History:
    return History(manifest=replace(ordinary().manifest, complete=False), objectives=None)


def oddly_named() -> History:
    history = ordinary()
    history.manifest = replace(history.manifest, scenario='a\x00"<&]]>')
    return history


@pytest.mark.parametrize("history", [ordinary, missed, edge_lab, empty, oddly_named])
def test_the_document_is_what_ci_servers_read(history, tmp_path):
    document = tmp_path / "junit.xml"
    document.write_text(junit.render(analyse(history().write(tmp_path))), encoding="utf-8")
    assert complaints(document) == ""


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (' failures="0"', ""),
        ('tests="7"', 'tests="many"'),
        ("<testcase", "<case"),
        (' name="failed_ratio &lt; 0.01"', ""),
        ('time="60"', 'time="1:00"'),
    ],
)
def test_the_schema_would_notice(old, new, tmp_path):
    text = junit.render(analyse(ordinary().write(tmp_path)))
    assert old in text
    document = tmp_path / "junit.xml"
    document.write_text(text.replace(old, new), encoding="utf-8")
    assert complaints(document) != ""
