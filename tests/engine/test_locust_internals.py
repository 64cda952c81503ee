"""What we rely on in Locust's insides. A failure here says: Locust changed, look at loadgen/locust_internals.py."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import gevent
import pytest
from locust import User, constant
from locust.argument_parser import get_empty_argument_parser, setup_parser_arguments
from locust.dispatch import UsersDispatcher
from locust.env import Environment
from locust.rpc.protocol import Message
from locust.runners import LocalRunner, WorkerNode

from loadgen import locust_internals
from loadgen.arrivals import ArrivalSource
from loadgen.dispatcher import SourceDispatcher, dispatcher_for
from loadgen.options import Options, add_options


class Ordinary(User):
    wait_time = constant(1)  # type: ignore[no-untyped-call]


class Arriving(ArrivalSource):
    pass


@pytest.fixture
def runner() -> Iterator[LocalRunner]:
    running = Environment(user_classes=[Ordinary]).create_local_runner()
    yield running
    running.quit()


def test_show_user_count_is_what_locust_shows(runner: LocalRunner) -> None:
    locust_internals.show_user_count(runner, lambda: 42)
    assert runner.user_count == 42
    assert isinstance(runner, LocalRunner)


def test_a_lone_process_hears_its_own_messages(runner: LocalRunner) -> None:
    heard: list[object] = []

    def hear(environment: Environment, msg: Message) -> None:
        heard.append((msg.node_id, msg.data))

    runner.register_message("lonjak_test", hear, concurrent=True)
    runner.send_message("lonjak_test", {"a": 1}, client_id="local")
    assert heard == [("local", {"a": 1})]


def nodes(*names: str) -> list[WorkerNode]:
    return [WorkerNode(name) for name in names]


def test_every_worker_runs_one_source_whatever_the_number_of_users() -> None:
    dispatcher = dispatcher_for(lambda: False)(worker_nodes=nodes("a", "b", "c"), user_classes=[Arriving])
    assert isinstance(dispatcher, SourceDispatcher)
    dispatcher.new_dispatch(5000, 1.0, None)
    assert list(dispatcher) == [{"a": {"Arriving": 1}, "b": {"Arriving": 1}, "c": {"Arriving": 1}}]
    dispatcher.new_dispatch(target_user_count=0, spawn_rate=1.0)
    assert list(dispatcher) == [{"a": {"Arriving": 0}, "b": {"Arriving": 0}, "c": {"Arriving": 0}}]


def test_a_lost_workers_share_is_nobody_elses_and_a_latecomer_gets_none() -> None:
    workers = nodes("a", "b", "late")
    dispatcher = SourceDispatcher(workers[:2], [Arriving])
    dispatcher.remove_worker(workers[0])
    dispatcher.add_worker(workers[2])
    dispatcher.new_dispatch(10, 1.0)
    assert list(dispatcher) == [{"b": {"Arriving": 1}, "late": {"Arriving": 0}}]
    dispatcher.add_worker(workers[0])
    dispatcher.new_dispatch(10, 1.0)
    assert next(dispatcher)["a"] == {"Arriving": 1}


def test_ordinary_users_are_locusts_own_business_until_the_run_stops() -> None:
    stopping = [False]
    dispatcher = dispatcher_for(lambda: stopping[0])(worker_nodes=nodes("a", "b"), user_classes=[Ordinary])
    assert isinstance(dispatcher, UsersDispatcher)
    dispatcher.new_dispatch(4, 1000.0)
    assert next(iter(dispatcher)) == {"a": {"Ordinary": 2}, "b": {"Ordinary": 2}}
    dispatcher.new_dispatch(8, 1000.0)
    stopping[0] = True
    assert list(dispatcher) == []


def parsed(*arguments: str) -> Options:
    parser = get_empty_argument_parser(default_config_files=[])
    setup_parser_arguments(parser)
    add_options(parser, lambda: 2.5)
    options = parser.parse_args(list(arguments))
    assert (options.web_host, options.master_bind_host, options.stop_timeout) == ("127.0.0.1", "127.0.0.1", 10.0)
    assert {name for name in ("rate", "allow_host", "stack") if name in parser.args_included_in_web_ui} == {"rate"}
    return Options.of(options)


def test_the_web_form_shows_the_rate_and_nothing_else_of_ours() -> None:
    assert parsed().rate == "2.5"


def test_options_are_read_as_given() -> None:
    options = parsed("--allow-host", "a", "--allow-host", "b", "--no-faults", "-t", "90s", "--stop-with", "7")
    assert (options.allow_hosts, options.faults, options.duration_s, options.stop_with) == (("a", "b"), False, 90.0, 7)
    assert (options.host, options.more_hosts) == (None, ())
    options = parsed("--host", "http://a", "--more-host", "http://b", "--more-host", "http://c")
    assert (options.host, options.more_hosts) == ("http://a", ("http://b", "http://c"))


FORKS = """
import os, signal, sys, time
import gevent
from gevent import monkey; monkey.patch_all()
from loadgen.processes import WorkerForks
forks = WorkerForks()
child = gevent.fork()
if child == 0:
    print("child", os.getpid(), os.getpgid(0) == os.getpid(), flush=True)
    time.sleep(600)
time.sleep(600)
"""


def test_forked_workers_end_with_their_master_and_leave_its_group() -> None:
    master = subprocess.Popen([sys.executable, "-c", FORKS], stdout=subprocess.PIPE, text=True)
    assert master.stdout is not None
    word, pid, own_group = master.stdout.readline().split()
    assert (word, own_group) == ("child", "True")
    child = os.pidfd_open(int(pid))
    os.kill(master.pid, signal.SIGKILL)
    master.wait()
    with gevent.Timeout(5):
        gevent.socket.wait_read(child)  # readable when the process has ended
    os.close(child)
    master.stdout.close()
