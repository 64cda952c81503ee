"""Defects of money and stock: the audit finds each of them after one short evening, and none in a sound shop."""

import pytest

from analysis.audit import Audit
from reference_shop.defects import DEFECTS
from tests.shop.defects.evening import evening
from tests.shop.defects.sites import Sites

# A provider that takes longer than an impatient client waits, and no longer than any does.
LATENCY_MS = 130
CATALOGUE_MEMORY_S = 1.1
AUDITED = [defect.name for defect in DEFECTS.values() if defect.invariant]


def violated(audit: Audit) -> set[str]:
    return {finding.invariant for finding in audit.findings if finding.violations_count}


@pytest.mark.parametrize("name", AUDITED)
def test_the_audit_finds_the_defect(sites: Sites, name: str) -> None:
    with sites.open(name, worker_count=2 if name == "oversell" else 1, latency_ms=LATENCY_MS) as site:
        found = evening(site)
    assert DEFECTS[name].invariant in violated(found), found


def test_the_audit_finds_nothing_in_a_sound_shop(sites: Sites) -> None:
    with sites.open(None, worker_count=2, latency_ms=LATENCY_MS) as site:
        found = evening(site, quiet_s=CATALOGUE_MEMORY_S)
    assert (found.violations, found.doubts, found.outcome) == ((), (), "pass")
    assert found.acknowledged_count >= 10
