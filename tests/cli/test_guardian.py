import signal
import subprocess
import sys


def test_a_process_is_interrupted_when_the_one_it_watches_has_ended() -> None:
    watched = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    steps = ["import time; from lonjak import guardian", f"guardian.stop_with({watched.pid})", "print(1, flush=True)"]
    program = "; ".join([*steps, "time.sleep(60)"])
    watcher = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        assert watcher.stdout is not None
        assert watcher.stdout.readline() == b"1\n"
        assert watcher.poll() is None
        watched.communicate(b"\n")
        assert watcher.wait(timeout=20) == -signal.SIGTERM
    finally:
        watcher.kill()
        watcher.communicate()
        watched.wait()
