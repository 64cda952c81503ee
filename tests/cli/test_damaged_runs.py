"""Runs that are damaged, contradict themselves, or hold next to nothing: one sentence, the right exit code, no NaN."""

import gzip
import json
import random
import re
import shutil
import signal
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

import analysis.run
import reports
from loadgen.errors import LonjakError
from loadgen.exitcodes import ExitCode
from loadgen.rundir import RunDirectory
from lonjak.__main__ import main
from tests.recorded_run import STARTED_AT, History, edge_lab, ordinary
from tests.recorded_study import two_edges

NO_NUMBER = re.compile(r"\b(?:nan|inf(?:inity)?)\b", re.IGNORECASE)
DATA = re.compile(r"data:[^\"')]*")
Change = Callable[[RunDirectory], None]


@dataclass(frozen=True)
class Ended:
    code: int
    out: str
    err: str

    @property
    def told(self) -> list[str]:
        """What is said on stderr, without the progress before it."""
        lines = self.err.splitlines()
        begin = next((place for place, line in enumerate(lines) if line.startswith("lonjak: ")), len(lines))
        return lines[begin:]


@pytest.fixture
def report(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Callable[[Path], Ended]]:
    """`lonjak report`, whole but for a process of its own."""

    def run(path: Path) -> Ended:
        monkeypatch.setattr(sys, "argv", ["lonjak", "report", str(path)])
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        return Ended(int(ended.value.code or 0), said.out, said.err)

    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)}
    yield run
    for number, handler in before.items():
        signal.signal(number, handler)


def documents(run: RunDirectory) -> dict[str, str]:
    paths = (run.summary, run.verdict, run.report, run.summary_md, run.junit)
    return {path.name: path.read_text() for path in paths if path.exists()}


def check_documents(texts: dict[str, str]) -> None:
    """Each is whole, and none holds what is no number."""
    assert set(texts) == {"summary.json", "verdict.json", "report.html", "summary.md", "junit.xml"}
    assert [found[0] for text in texts.values() for found in [NO_NUMBER.search(DATA.sub("", text))] if found] == []
    json.loads(texts["summary.json"], parse_constant=pytest.fail)
    ET.fromstring(texts["junit.xml"])
    assert texts["report.html"].rstrip().endswith("</html>")


# What a change does to a run that was whole.


def text(name: str, old: str, new: str) -> Change:
    """Replace the first `old` in a file."""

    def change(run: RunDirectory) -> None:
        path = run.path / name
        before = path.read_text()
        assert old in before
        path.write_text(before.replace(old, new, 1))

    return change


def whole(name: str, content: str | bytes) -> Change:
    def change(run: RunDirectory) -> None:
        (run.path / name).write_bytes(content if isinstance(content, bytes) else content.encode())

    return change


def appended(name: str, line: str) -> Change:
    def change(run: RunDirectory) -> None:
        with (run.path / name).open("a") as file:
            file.write(line)

    return change


def manifest(**values: object) -> Change:
    def change(run: RunDirectory) -> None:
        known = json.loads(run.manifest.read_text())
        run.manifest.write_text(json.dumps(known | values))

    return change


def plan(**values: object) -> Change:
    def change(run: RunDirectory) -> None:
        known = json.loads(run.manifest.read_text())
        run.manifest.write_text(json.dumps(known | {"plan": known["plan"] | values}))

    return change


def removed(name: str) -> Change:
    return lambda run: (run.path / name).unlink()


def folder(name: str) -> Change:
    def change(run: RunDirectory) -> None:
        (run.path / name).unlink()
        (run.path / name).mkdir()

    return change


def log(change: Callable[[str], str]) -> Change:
    """Change the text of the latency log."""

    def apply(run: RunDirectory) -> None:
        packed = run.hlog.with_name("latency.hlog.gz")
        packed.write_bytes(gzip.compress(change(gzip.decompress(packed.read_bytes()).decode()).encode()))

    return apply


def cut_log(run: RunDirectory) -> None:
    packed = run.hlog.with_name("latency.hlog.gz")
    packed.write_bytes(packed.read_bytes()[:-200])


def with_column(column: str, value: str) -> Change:
    """Give counters.csv another value in its 20th row."""

    def change(run: RunDirectory) -> None:
        lines = run.counters.read_text().splitlines()
        place = lines[0].split(",").index(column)
        cells = lines[20].split(",")
        cells[place] = value
        lines[20] = ",".join(cells)
        run.counters.write_text("\n".join(lines) + "\n")

    return change


FIRST_ORDER = '"action":"place_order"'
REFUSED: dict[str, tuple[Change, str]] = {
    "no manifest": (removed("manifest.json"), "holds no manifest.json"),
    "manifest of a newer format": (manifest(schema_version=2), "has format version 2"),
    "manifest of a word as format": (manifest(schema_version="1"), "has format version 1"),
    "manifest torn": (whole("manifest.json", '{"schema_version": 1, "scen'), "cannot be read"),
    "manifest of bytes": (whole("manifest.json", b"\xff\xfe\x00"), "cannot be read"),
    "manifest a list": (whole("manifest.json", "[1]"), "holds no JSON object"),
    "manifest nested too deeply": (whole("manifest.json", "[" * 100_000), "nested too deeply"),
    "manifest a folder": (folder("manifest.json"), "cannot be read"),
    "started_at NaN": (text("manifest.json", f"{STARTED_AT}", "NaN"), "NaN is no number"),
    "started_at 1e999": (text("manifest.json", f"{STARTED_AT}", "1e999"), "1e999 is no number"),
    "started_at before the epoch": (manifest(started_at=-5.0), "started_at is -5, but must be a number from 0"),
    "started_at in the year 40000": (manifest(started_at=1.2e12), "started_at is 1.2e+12"),
    "started_at true": (manifest(started_at=True), "started_at is not a number"),
    "started_at none": (manifest(started_at=None), "started_at is not a number"),
    "ended_at a text": (manifest(ended_at="noon"), "ended_at is not a number"),
    "scenario a number": (manifest(scenario=5), "scenario is not a text"),
    "complete a word": (manifest(complete="yes"), "complete is not true or false"),
    "a plan of no numbers": (plan(duration_s="1m"), "plan.duration_s is not a number"),
    "a plan below 0": (plan(warmup_s=-1), "plan.warmup_s is -1"),
    "a plan with a new key": (plan(speed=1), "speed"),
    "workers of no name": (manifest(workers=[{}]), "a worker has no name"),
    "processors of no number": (manifest(cpu_sets={"generator": ["a"]}), "cpu_sets.generator is not a list"),
    "unknown key": (manifest(mood="good"), "unknown keys mood"),
    "counters missing": (removed("counters.csv"), "counters.csv is missing"),
    "counters of other columns": (text("counters.csv", "failed_count", "bad_count"), "has other columns than format 1"),
    "counters of another width": (text("counters.csv", "\n0,product,20", "\n0,product,20,7"), "at line 2"),
    "count below 0": (with_column("request_count", "-5"), "damaged at line 21: request_count is '-5'"),
    "count NaN": (with_column("request_count", "nan"), "damaged at line 21: request_count is 'nan'"),
    "count infinite": (with_column("received_bytes", "inf"), "received_bytes is 'inf'"),
    "count a word": (with_column("request_count", "many"), "damaged at line 21: request_count is 'many'"),
    "count beyond counting": (with_column("request_count", "1e300"), "request_count is '1e300'"),
    "second below 0": (with_column("elapsed_s", "-1"), "elapsed_s is '-1', but must be a number from 0 to 2592000"),
    "second of another age": (with_column("elapsed_s", "1795421700"), "elapsed_s is '1795421700'"),
    "counters of one endless cell": (appended("counters.csv", '"' + "x" * 200_000 + '"\n'), "counters.csv is damaged"),
    "counters a folder": (folder("counters.csv"), "counters.csv"),
    "cpu NaN": (appended("tiers.csv", "5,shop,shop-1,1,nan,1,0,0\n"), "cpu_ratio is 'nan'"),
    "log cut off": (cut_log, "latency.hlog is damaged"),
    "log of garbage": (whole("latency.hlog.gz", b"nothing"), "latency.hlog is damaged"),
    "log without its tags": (log(lambda all_: all_.replace("Tag=", "Taq=")), "not an interval with a tag"),
    "log with a broken histogram": (log(lambda all_: all_ + "Tag=a/b/c,1.0,1.0,1.0,AAAA\n"), "not an HdrHistogram"),
    "log with an endless second": (log(lambda all_: all_ + "Tag=a/b/c,inf,1.0,1.0,AAAA\n"), "lies outside"),
    "log with a second below 0": (log(lambda all_: all_ + "Tag=a/b/c,-3,1.0,1.0,AAAA\n"), "lies outside"),
    "event of no instant": (appended("events.jsonl", '{"kind":"phase"}\n'), "events.jsonl is damaged at line 1"),
    "event of no JSON": (appended("events.jsonl", "phase\n"), "events.jsonl is damaged at line 1"),
    "event at 1e999": (appended("events.jsonl", '{"at":1e999,"kind":"phase"}\n'), "not a JSON object"),
    "ledger of another outcome": (text("ledger.jsonl", '"outcome":"ok"', '"outcome":"maybe"'), "outcome is 'maybe'"),
    "ledger below 0": (text("ledger.jsonl", "150000", "-150000"), "amount_idr is -150000"),
    "ledger of words": (text("ledger.jsonl", '"session":1000', '"session":"x"'), "session is 'x'"),
    "ledger without items": (text("ledger.jsonl", '"items":[]', '"items":[[1]]'), "not a line of a ledger"),
    "truth of words": (text("truth.jsonl", '"total_idr":150000', '"total_idr":"much"'), "truth.jsonl is damaged"),
    "truth without its type": (text("truth.jsonl", '"type":"order",', ""), "truth.jsonl is damaged"),
    "objectives missing": (removed("scenario.toml"), "scenario.toml is missing"),
    "objectives of no limit": (
        whole("scenario.toml", '[objectives]\nfailed_ratio = "low"\n'),
        "scenario.toml is damaged",
    ),
    "objectives of no TOML": (whole("scenario.toml", "objectives ="), "scenario.toml is damaged"),
    "objectives of bytes": (whole("scenario.toml", b"\xff"), "scenario.toml is damaged"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_damaged_run_is_refused_in_a_sentence(name: str, tmp_path: Path, report: Callable[[Path], Ended]) -> None:
    change, sentence = REFUSED[name]
    run = ordinary().write(tmp_path)
    change(run)
    ended = report(run.path)
    code = ExitCode.ENVIRONMENT if name == "counters a folder" else ExitCode.USAGE
    assert (ended.code, ended.out, len(ended.told)) == (code, "", 1), ended.err
    assert sentence in ended.told[0]
    assert documents(run) == {}


def two_runs_in_one(run: RunDirectory) -> None:
    log(lambda all_: all_.replace(f"{STARTED_AT:.3f}", f"{STARTED_AT - 3600:.3f}"))(run)


def clock_set_back(run: RunDirectory) -> None:
    for number in range(3):
        appended("events.jsonl", f'{{"at":{STARTED_AT - 7200 + number},"kind":"phase"}}\n')(run)


CONTRADICTORY: dict[str, tuple[Change, str]] = {
    "ended before it started": (
        manifest(ended_at=STARTED_AT - 30),
        "The run ended 30 s before it started, says manifest.json: a clock was set meanwhile.",
    ),
    "recorded for longer than it lasted": (
        manifest(ended_at=STARTED_AT + 30),
        "The run lasted 30 s, says manifest.json, but its record goes on to second 59.",
    ),
    "counters say 0 where the histogram has samples": (
        with_column("request_count", "0"),
        "latency.hlog holds 1,200 response times of product, but counters.csv counts 1,180 requests.",
    ),
    "more failures than requests": (
        with_column("failed_count", "5000"),
        "counters.csv says that in second 19 5,000 of 20 requests of product failed.",
    ),
    "more failures by class than failures": (
        with_column("failed_tls_count", "3"),
        "counters.csv has more failures by class than failed_count for product: 3 of 0.",
    ),
    "more hits than cacheable requests": (
        with_column("cacheable_hit_count", "9000"),
        "counters.csv has more cacheable_hit_count than cacheable_count for product: 9,864 of 1,200.",
    ),
    "orders that nobody tried": (
        removed("ledger.jsonl"),
        "funnel.csv has 15 sessions that paid, but ledger.jsonl only 0 orders that were tried.",
    ),
    "more who paid than came": (
        text("funnel.csv", "\n0,phone,1,", "\n0,phone,0,"),
        "funnel.csv has 60 sessions that reached product, but only 59 that arrived.",
    ),
    "files of two runs": (
        two_runs_in_one,
        "latency.hlog began 3,600 s away from manifest.json's start: they are of two runs.",
    ),
    "a clock that was set back": (
        clock_set_back,
        "3 of 3 lines of events.jsonl lie before the run's start or after its end: a clock was set meanwhile, or they "
        "are of another run.",
    ),
}


@pytest.mark.parametrize("name", CONTRADICTORY)
def test_files_that_contradict_each_other_give_no_verdict(
    name: str, tmp_path: Path, report: Callable[[Path], Ended]
) -> None:
    change, sentence = CONTRADICTORY[name]
    run = ordinary().write(tmp_path)
    change(run)
    ended = report(run.path)
    assert (ended.code, "Traceback" in ended.err) == (ExitCode.UNKNOWN, False), ended.err
    check_documents(documents(run))
    verdict = json.loads(run.verdict.read_text())
    assert (verdict["verdict"], verdict["cause"], verdict["reasons"][0]) == ("unknown", "contradictory", sentence)
    assert "the files of the run contradict each other" in run.summary_md.read_text()


def nothing() -> History:
    """A run that was closed in order, and in which nobody came."""
    history = ordinary()
    return History(manifest=history.manifest)


def one_sample() -> History:
    history = nothing()
    history.ok_ms[20, "product"] = [20.0]
    history.loop_lag_ms[20] = 2.0
    return history


def nobody_succeeded() -> History:
    history = ordinary()
    history.outage(0, 60)
    history.ledger.clear()
    history.truth = None
    return history


def killed() -> History:
    """Its record was never closed, and its last lines are torn."""
    history = ordinary()
    history.manifest = replace(history.manifest, ended_at=None, complete=False)
    return history


def odd_page_kinds() -> History:
    """Names that no storefront of ours gives."""
    history = ordinary()
    for second in range(10, 50):
        for kind in ("/a|b<script>", "NaN-page", "x'y&z", "a/b/c"):
            history.ok_ms[second, kind] = [20.0]
    return history


def named_like_markup() -> History:
    """A page kind that a terminal's markup would take for a command."""
    history = ordinary()
    for second in range(10, 50):
        history.ok_ms[second, "/[/item]"] = [20.0]
    assert history.objectives is not None
    history.objectives += 'response_time_ms."/[/item]".p95 = "< 1"\n'
    return history


LITTLE: dict[str, tuple[Callable[[], History], ExitCode, str]] = {
    "nothing": (nothing, ExitCode.UNKNOWN, "No request was recorded."),
    "one sample": (one_sample, ExitCode.UNKNOWN, "too few samples"),
    "no successful request": (nobody_succeeded, ExitCode.FAIL, "missed 1 of 2 objectives"),
    "killed": (killed, ExitCode.UNKNOWN, "without having been closed"),
    "named like markup": (named_like_markup, ExitCode.FAIL, "p95 response time, /[/item]: 20"),
    "odd page kinds": (odd_page_kinds, ExitCode.PASS, "met all 2 objectives"),
}


@pytest.mark.parametrize("name", LITTLE)
def test_a_run_of_next_to_nothing_has_its_documents_and_its_code(
    name: str, tmp_path: Path, report: Callable[[Path], Ended]
) -> None:
    history, code, sentence = LITTLE[name]
    run = history().write(tmp_path)
    ended = report(run.path)
    assert (ended.code, "Traceback" in ended.err) == (code, False), ended.err
    assert sentence in ended.err
    texts = documents(run)
    check_documents({path: content.replace("NaN-page", "") for path, content in texts.items()})


def test_a_torn_end_costs_no_more_than_a_line(tmp_path: Path, report: Callable[[Path], Ended]) -> None:
    run = killed().write(tmp_path)
    for name in ("counters.csv", "funnel.csv", "tiers.csv", "events.jsonl", "ledger.jsonl", "truth.jsonl"):
        appended(name, "60,prod")(run)
    assert report(run.path).code == ExitCode.UNKNOWN
    check_documents(documents(run))


@pytest.mark.parametrize("share", [0.0, 0.3, 0.77])
@pytest.mark.parametrize("name", ["counters.csv", "caches.csv", "events.jsonl", "truth.jsonl", "latency.hlog.gz"])
def test_a_file_cut_anywhere_is_a_sentence_or_a_verdict(
    name: str, share: float, tmp_path: Path, report: Callable[[Path], Ended]
) -> None:
    run = edge_lab().write(tmp_path)
    path = run.path / name
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    ended = report(run.path)
    assert ended.code in (ExitCode.FAIL, ExitCode.USAGE, ExitCode.UNKNOWN)
    assert "Traceback" not in ended.err
    if ended.code != ExitCode.USAGE:
        check_documents(documents(run))


@pytest.mark.parametrize("seed", range(40))
def test_a_byte_of_damage_anywhere_is_a_sentence_or_a_verdict(seed: int, tmp_path: Path) -> None:
    choose = random.Random(seed)
    run = edge_lab().write(tmp_path)
    path = choose.choice(sorted(run.path.iterdir()))
    content = bytearray(path.read_bytes())
    if not content:
        return
    for _ in range(choose.choice((1, 1, 20))):
        content[choose.randrange(len(content))] = choose.choice(b'\x00\xff-9e"{}[],.\n\\')
    path.write_bytes(content)
    try:
        analysed = analysis.run.analyse(RunDirectory.open(run.path))
        analysis.run.documents(run, analysed)
        if seed % 4 == 0:
            reports.documents(run, analysed)
    except LonjakError as error:
        assert len(str(error).splitlines()) == 1  # noqa: PT017


@pytest.mark.parametrize("value", [None, -1, 1e300, "x", [], {}, [None], True], ids=repr)
def test_any_value_in_any_place_of_a_manifest_is_refused_or_borne(value: object, tmp_path: Path) -> None:
    run = ordinary().write(tmp_path)
    known = json.loads(run.manifest.read_text())
    for change in [{key: value} for key in known] + [{"plan": known["plan"] | {key: value}} for key in known["plan"]]:
        run.manifest.write_text(json.dumps(known | change))
        try:
            RunDirectory.open(run.path)
        except LonjakError:
            continue
        analysed = analysis.run.analyse(run)
        check_documents(
            {
                path.name: drawn
                for path, drawn in (analysis.run.documents(run, analysed) | reports.documents(run, analysed)).items()
            }
        )


def test_a_study_with_a_damaged_part_is_refused_in_a_sentence(tmp_path: Path, report: Callable[[Path], Ended]) -> None:
    study = two_edges().write(tmp_path)
    part = next((study.path / "parts").iterdir())
    (part / "counters.csv").write_text("nothing\n")
    ended = report(study.path)
    assert (ended.code, len(ended.told)) == (ExitCode.USAGE, 1), ended.err
    assert "counters.csv has other columns than format 1" in ended.err


def test_a_damaged_study_is_refused_in_a_sentence(tmp_path: Path, report: Callable[[Path], Ended]) -> None:
    study = two_edges().write(tmp_path)
    known = json.loads(study.manifest.read_text())
    for values in ({"parts": "x"}, {"schema_version": 9}, {"options": 5}, {"started_at": "x"}, {"profiles": [1]}):
        study.manifest.write_text(json.dumps(known | values))
        ended = report(study.path)
        assert (ended.code, len(ended.told)) == (ExitCode.USAGE, 1), (values, ended.err)
    shutil.rmtree(study.path)
    assert report(study.path).code == ExitCode.USAGE
