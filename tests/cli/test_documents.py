"""The documents: whatever the shop has a name for is explained there, nothing else is, and links lead on."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from lonjak.commands.edge import up as edge_up
from lonjak.commands.shop import up
from reference_shop import metrics
from reference_shop.defects import DEFECTS
from reference_shop.domain.errors import ErrorCode
from reference_shop.edges import PROFILES
from reference_shop.instruments import Figures
from reference_shop.protections import PROTECTIONS
from reference_shop.stack.choices import ALL
from reference_shop.throttles import KINDS, TIERS
from reference_shop.web.failures import STATUS

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)
LINK = re.compile(r"\]\(([^)#\s]*)(?:#([^)\s]*))?\)")
CODE = re.compile(r"```.*?```|`[^`\n]*`", re.DOTALL)
MADE = re.compile(r'^\w+ = (\w+)\.(counted|level|timed)\(\s*"(\w+)"', re.MULTILINE)


def section(document: str, heading: str) -> str:
    """What stands below a heading of a document, up to the next one."""
    parts = HEADING.split((ROOT / "docs" / document).read_text(encoding="utf-8"))
    [text] = [text for name, text in zip(parts[1::2], parts[2::2], strict=True) if name == heading]
    return text


def rows(document: str, heading: str) -> dict[str, list[str]]:
    """The rows whose first cell is a name in code, by that name: the cells after it."""
    lines = [line for line in section(document, heading).splitlines() if line.startswith("| `")]
    cells = [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]
    named = {first.strip("`"): others for first, *others in cells}
    assert len(named) == len(lines)
    return named


def test_every_option_of_the_shop_is_explained() -> None:
    explained = {name.split()[0] for name in rows("reference-shop.md", "Starting it")}
    assert explained == {option for parameter in up.params for option in parameter.opts}


def test_every_edge_profile_is_explained_and_what_is_expected_of_its_safety() -> None:
    assert list(rows("edges.md", "Profiles")) == list(PROFILES)
    safe = {name: profile.safety for name, profile in PROFILES.items() if profile.safety}
    told = {name: [f"{each.answer}: {each.because}" for each in expected.values()] for name, expected in safe.items()}
    assert rows("edges.md", "Is it safe") == told


def test_every_option_of_an_edge_is_explained() -> None:
    explained = {name.split()[0] for name in rows("edges.md", "Options")}
    assert explained | {"--profile", "--origin", "--port", "--allow-host", "--detach"} == {
        option for parameter in edge_up.params for option in parameter.opts
    } | {"--purge"}


def test_every_protection_is_explained() -> None:
    explained = rows("shop-protections.md", "How the reference shop protects itself")
    assert list(explained) == list(PROTECTIONS)
    assert f"`{ALL}`" in section("shop-protections.md", "How the reference shop protects itself")


def test_every_tier_and_kind_of_throttle_is_explained() -> None:
    assert tuple(rows("shop-protections.md", "Throttles")) == TIERS
    [head] = [line for line in section("shop-protections.md", "Throttles").splitlines() if line.startswith("| |")]
    assert tuple(re.findall(r"`([^`]+)`", head)) == KINDS


def test_every_defect_is_explained_with_its_pillar_and_where_the_audit_finds_it() -> None:
    audited = rows("shop-defects.md", "Of the books")
    others = rows("shop-defects.md", "Of speed and endurance")
    assert {name: (cells[0], cells[2].strip("`")) for name, cells in audited.items()} == {
        defect.name: (defect.pillar, defect.invariant) for defect in DEFECTS.values() if defect.invariant
    }
    assert {name: cells[0] for name, cells in others.items()} == {
        defect.name: defect.pillar for defect in DEFECTS.values() if not defect.invariant
    }


@pytest.mark.parametrize(
    ("heading", "figures"), [("The shop's", metrics.shop), ("The payment provider's", metrics.payment)]
)
def test_every_metric_is_explained_with_its_type(heading: str, figures: Figures) -> None:
    source = Path(metrics.__file__).read_text(encoding="utf-8")
    types = {"counted": "counter", "level": "gauge", "timed": "histogram"}
    made = {
        f"{program}_{name}{'_total' if kind == 'counted' else ''}": types[kind]
        for program, kind, name in MADE.findall(source)
        if getattr(metrics, program) is figures
    }
    assert len(made) == len(figures._instruments)
    assert {name: cells[0] for name, cells in rows("shop-metrics.md", heading).items()} == made


def test_every_refusal_is_explained_with_its_status() -> None:
    told = re.findall(r"^\| (\d+) \| `(\w+)`", section("reference-shop.md", "How the shop says no"), re.MULTILINE)
    assert len({name for _, name in told}) == len(told)
    assert {name: int(status) for status, name in told} == {code.value: STATUS[code] for code in ErrorCode} | {
        "internal": 500
    }


def anchors(document: Path) -> set[str]:
    """The headings of a document as links name them."""
    text = re.sub(r"```.*?```", "", document.read_text(encoding="utf-8"), flags=re.DOTALL)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in HEADING.findall(text)}


def links(document: Path) -> Iterator[tuple[Path, str]]:
    """Where a document's links to others lead: a file, and a heading in it or nothing."""
    for target, anchor in LINK.findall(CODE.sub("", document.read_text(encoding="utf-8"))):
        if ":" not in target:
            yield (document.parent / target if target else document), anchor


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_leads_to_something(document: Path) -> None:
    for target, anchor in links(document):
        assert target.exists(), target
        assert not anchor or anchor in anchors(target), f"{target}#{anchor}"
