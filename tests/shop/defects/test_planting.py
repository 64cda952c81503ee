"""How defects get into the shop: on request only, whole or not at all."""

import ast
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from analysis import invariants
from reference_shop import defects
from reference_shop.defects import DEFECTS
from reference_shop.defects._planting import replace
from reference_shop.repository import stock
from reference_shop.services import checkout, settlement
from tests.shop.defects.test_defects_of_the_books import AUDITED
from tests.shop.defects.test_defects_under_load import LOOKS

FOLDER = Path(defects.__file__).parent
MODULES = {path.stem: path for path in FOLDER.glob("[!_]*.py")}
PILLARS = {"scalability", "security", "network", "interface", "monitoring"}
INVARIANTS = {path.stem for path in Path(invariants.__file__).parent.glob("*.py")}


def run(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([sys.executable, "-P", *arguments], capture_output=True, text=True, check=False, timeout=60)


def test_every_name_has_a_module_and_every_module_a_name() -> None:
    assert {defect.module for defect in DEFECTS.values()} == set(MODULES)
    assert [defect.name for defect in DEFECTS.values()] == list(DEFECTS)


def test_every_defect_has_a_test_that_it_bites() -> None:
    assert {*AUDITED, *LOOKS, "missing-index"} == set(DEFECTS)


@pytest.mark.parametrize("name", DEFECTS)
def test_a_defect_says_what_it_spoils_and_how_it_shows(name: str) -> None:
    defect = DEFECTS[name]
    assert defect.pillar in PILLARS
    assert defect.symptom.endswith(".")
    assert defect.programs
    assert set(defect.programs) <= {"web", "payment", "seed"}
    assert defect.invariant is None or defect.invariant in INVARIANTS
    assert (ast.get_docstring(ast.parse(MODULES[defect.module].read_text())) or "").startswith(f"{name}: ")


@pytest.mark.parametrize("module", MODULES)
def test_a_defect_imports_all_it_needs_before_privileges_are_dropped(module: str) -> None:
    tree = ast.parse(MODULES[module].read_text())
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
    assert [node for node in imports if node not in tree.body] == []


def test_the_shop_imports_no_defect() -> None:
    programs = ("web", "payment", "seed", "backoffice", "stack")
    imports = "; ".join(f"import reference_shop.{program}.__main__" for program in programs)
    told = run("-c", f"import sys; {imports}; print(*(name for name in sys.modules if 'defects.' in name))")
    assert (told.returncode, told.stdout.strip()) == (0, "")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("web", "overselling"), "defect 'overselling' cannot be planted into 'web': choose from blocking-call, "),
        (("payment", "oversell"), "defect 'oversell' cannot be planted into 'payment': choose from nothing"),
        (("web", "missing-index"), "defect 'missing-index' cannot be planted into 'web'"),
        (("seed", "oversell"), "choose from missing-index"),
        (("kasir", "oversell"), "defect 'oversell' cannot be planted into 'kasir': choose from nothing"),
    ],
)
def test_a_name_that_does_not_belong_there_is_refused(arguments: tuple[str, ...], sentence: str) -> None:
    told = run("-m", "reference_shop.defects", *arguments)
    assert told.returncode == 2
    assert sentence in told.stderr
    assert told.stderr.count("\n") == 1


def test_what_is_not_there_cannot_be_replaced() -> None:
    with pytest.raises(LookupError, match="has no lose_stock that could be replaced"):
        replace(stock, "lose_stock", lambda: None)


def test_what_a_class_only_inherits_is_not_replaced_in_it() -> None:
    class Heir(dict[str, int]):
        pass

    with pytest.raises(LookupError, match="has no get "):
        replace(Heir, "get", lambda: None)


def test_what_another_module_has_by_name_is_not_replaced_at_home_only() -> None:
    sound = settlement.settle
    with pytest.raises(LookupError, match=r"imported by name: replace it in .*reference_shop.services.checkout"):
        replace(settlement, "settle", lambda *_: None)
    assert settlement.settle is checkout.settle is sound


def test_a_function_is_not_replaced_by_one_that_cannot_be_called_like_it() -> None:
    def sound(first: int, *, second: int) -> int:
        return first + second

    owner = SimpleNamespace(add=sound)
    with pytest.raises(
        LookupError, match=r"called with \(first: int, \*, second: int\) -> int, its replacement cannot"
    ):
        replace(owner, "add", lambda first: first)
    replace(owner, "add", lambda first, *, second: first * second)
    assert owner.add(2, second=3) == 6
