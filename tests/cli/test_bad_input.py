"""Numbers that are none: the real command says so in a sentence, ends with 2, and opens no connection."""

import socket
from pathlib import Path

import pytest

from loadgen.exitcodes import ExitCode
from tests.cli.test_command_line import lonjak


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--rate", "0"), "--rate is '0', but must be a number from 0.001 to 100000"),
        (("--rate", "-1"), "--rate is '-1', but must be a number from 0.001 to 100000"),
        (("--rate", "nan"), "--rate is 'nan', but must be a number"),
        (("--rate", "inf"), "--rate is 'inf', but must be a number"),
        (("--rate", "1e9"), "--rate is '1e9', but must be a number from 0.001 to 100000"),
        (("--generators", "0"), "'--generators': 0 is not in the range 1<=x<=64"),
        (("--generators", "1000"), "'--generators': 1000 is not in the range 1<=x<=64"),
        (("--duration", "-5s"), "--duration is '-5s', but must be a duration from 1 s to 7 days"),
        (("--seed", "1.5"), "--seed is '1.5', but must be a whole number"),
        (("--users", "0"), "--users"),
    ],
)
def test_a_number_that_is_none_ends_with_2_and_sends_nothing(
    arguments: tuple[str, ...], sentence: str, tmp_path: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as shop:
        shop.setblocking(False)
        url = f"http://127.0.0.1:{shop.getsockname()[1]}"
        ended = lonjak("run", "evening", "--target", url, *arguments, cwd=tmp_path)
        with pytest.raises(BlockingIOError):  # nobody has knocked
            shop.accept()
    assert ended.code == ExitCode.USAGE
    assert sentence in ended.err
    assert (ended.out, "Traceback" in ended.err, list(tmp_path.iterdir())) == ("", False, [])


@pytest.mark.parametrize(
    ("what", "sentence"),
    [
        (("run", "mine.py", "--rate", "5"), "--rate is for scenarios"),
        (("run", "evening", "--spawn-rate", "5"), "--spawn-rate is for locustfiles"),
        (("bench", "--duration", "nan"), "--duration is nan, but must be a number of seconds"),
    ],
)
def test_an_option_that_would_mean_nothing_is_refused(what: tuple[str, ...], sentence: str, tmp_path: Path) -> None:
    (tmp_path / "mine.py").touch()
    ended = lonjak(*what, cwd=tmp_path)
    assert ended.code == ExitCode.USAGE
    assert sentence in ended.err
    assert "Traceback" not in ended.err
