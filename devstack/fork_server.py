"""A program that imports modules once, then forks a process for each request: `fork_server.py FD MODULE…`.

Without it each process imports everything itself, which takes three quarters of the CPU time of its start. Unlike with
a separately started process, `/proc/PID/cmdline` and `/proc/PID/environ` are those of this program.

Requests and responses are lines of JSON on the socket FD: `start` a module (returns its `pid`), look at its `status`
(returns `code`: its exit code, None while it runs), `collect` it (waits for its end, returns `code`). All forks are
killed when this process ends, and this process ends with the socket.
"""

import ctypes
import gc
import importlib
import json
import os
import runpy
import signal
import socket
import sys
from typing import Any

_PR_SET_PDEATHSIG, _PR_SET_NAME = 1, 15  # <linux/prctl.h>


def serve(connection: socket.socket) -> dict[str, Any]:
    """Answer requests; returns only in a fork, with the request that it must carry out."""
    stream = connection.makefile("rw")
    for line in stream:
        request = json.loads(line)
        if request["do"] == "start":
            pid = _fork()
            if pid == 0:
                os.close(connection.detach())
                return dict(request)
            answer: dict[str, Any] = {"pid": pid}
        else:
            answer = {"code": exit_code_of(request["pid"], collect=request["do"] == "collect")}
        stream.write(json.dumps(answer) + "\n")
        stream.flush()
    sys.exit(0)


def exit_code_of(pid: int, *, collect: bool) -> int | None:
    """The exit status of a fork, or minus the signal that ended it.

    Without `collect` it is None while the fork runs, and the id stays taken.
    """
    ended = os.waitid(os.P_PID, pid, os.WEXITED | (0 if collect else os.WNOHANG | os.WNOWAIT))
    if ended is None:
        return None
    return ended.si_status if ended.si_code == os.CLD_EXITED else -ended.si_status


def _fork() -> int:
    """0 in the child, which has a session of its own by the time that the parent returns its id."""
    parent = os.getpid()
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.setsid()
        # As in the foreground of a terminal: a job that a script starts in the background ignores SIGINT, one under
        # nohup SIGHUP.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.signal(signal.SIGHUP, signal.SIG_DFL)
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)
        os.close(reader)
        os.close(writer)
        return 0
    os.close(writer)
    os.read(reader, 1)
    os.close(reader)
    return pid


def run(
    name: str, module: str, arguments: list[str], environment: dict[str, str], directory: str, streams: list[str]
) -> None:
    """Do what `python -m module arguments…` does in `directory`; `streams` are the paths of its standard streams.

    `name` is what `ps -o comm` and `top` show, up to 15 bytes.
    """
    ctypes.CDLL(None).prctl(_PR_SET_NAME, name.encode(), 0, 0, 0)
    os.chdir(directory)
    for number, path in enumerate(streams):
        flags = os.O_RDONLY if number == 0 else os.O_WRONLY | os.O_APPEND | os.O_CREAT
        descriptor = os.open(path, flags, 0o600)
        os.dup2(descriptor, number)
        os.close(descriptor)
    os.environ.clear()
    os.environ.update(environment)
    sys.path[:0] = [path for path in environment.get("PYTHONPATH", "").split(os.pathsep) if path not in sys.path]
    sys.argv[1:] = arguments
    runpy.run_module(module, run_name="__main__", alter_sys=True)


def main() -> None:
    """Import and serve; a fork continues here and ends like a program."""
    connection = socket.socket(fileno=int(sys.argv[1]))
    for module in sys.argv[2:]:
        importlib.import_module(module)
    # Objects that are never collected: the forks need not copy the pages they are in.
    gc.collect()
    gc.freeze()
    request = serve(connection)
    run(**{name: value for name, value in request.items() if name != "do"})


if __name__ == "__main__":
    main()
