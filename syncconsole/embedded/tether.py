"""Become another program that cannot outlive the process that started it.

    python -I -S tether.py --parent PID [--signal NAME] [--namespace UID | --user UID:GID] -- PROGRAM [ARGUMENT …]

Run by path, in the new process, before it becomes PROGRAM. The kernel then sends the signal NAME to PROGRAM when its
parent ends, however it ends. `--namespace` makes a user namespace in which root is the unprivileged UID (PostgreSQL
refuses root); files stay root's. `--user` gives up root instead. Linux keeps all of these promises; elsewhere the
death signal is not available and only an orderly end of the parent ends the program.
"""

from __future__ import annotations

import argparse
import ctypes
import os
import signal
import sys
from pathlib import Path

PR_SET_PDEATHSIG = 1  # linux/prctl.h
CLONE_NEWUSER = 0x10000000  # linux/sched.h


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="tether")
    parser.add_argument("--parent", type=int, required=True)
    parser.add_argument("--signal", default="SIGTERM")
    parser.add_argument("--namespace", type=int)
    parser.add_argument("--user")
    parser.add_argument("program", nargs="+")
    options = parser.parse_args(arguments)
    if options.namespace is not None:
        enter_user_namespace(options.namespace)
    elif options.user is not None:
        uid, gid = map(int, options.user.split(":"))
        give_up_root(uid, gid)
    # A change of user clears the death signal, so it is asked for last.
    die_with_parent(options.parent, signal.Signals[options.signal])
    try:
        os.execvp(options.program[0], options.program)  # noqa: S606
    except OSError as error:
        print(f"{options.program[0]} cannot be started: {error.strerror}", file=sys.stderr)
        return 127


def enter_user_namespace(uid: int) -> None:
    """Make this process appear as `uid` to itself while it stays who it is outside. Raises OSError where forbidden."""
    outside_user, outside_group = os.geteuid(), os.getegid()
    call_kernel("unshare", CLONE_NEWUSER)
    Path("/proc/self/setgroups").write_text("deny")  # the kernel's condition for the next line
    Path("/proc/self/gid_map").write_text(f"{uid} {outside_group} 1")
    Path("/proc/self/uid_map").write_text(f"{uid} {outside_user} 1")


def give_up_root(uid: int, gid: int) -> None:
    os.setgroups([])
    os.setgid(gid)
    os.setuid(uid)


def die_with_parent(parent: int, death_signal: signal.Signals) -> None:
    if sys.platform != "linux":
        return
    call_kernel("prctl", PR_SET_PDEATHSIG, int(death_signal))
    if os.getppid() != parent:  # it ended before the kernel was asked
        sys.exit(1)


def call_kernel(function: str, *arguments: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if getattr(libc, function)(*arguments) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{function}: {os.strerror(number)}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
