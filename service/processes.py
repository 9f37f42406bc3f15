"""What a process does to be left alone with a stranger's file."""

from __future__ import annotations

import os
import resource
import socket


def fork() -> int:
    """`os.fork`, or -1 where there is no memory or no process left for it."""
    try:
        return os.fork()
    except OSError:
        return -1


def keep_only(channel: socket.socket) -> None:
    """Let go of the parent's files; what decoders write to standard error is no log of ours."""
    nothing = os.open(os.devnull, os.O_RDWR)
    for standard in range(3):
        os.dup2(nothing, standard)
    os.closerange(3, channel.fileno())
    os.closerange(channel.fileno() + 1, os.sysconf("SC_OPEN_MAX"))


def limit(kind: int, value: int) -> None:
    """Set a soft limit of `resource`, as far as the hard one lets it."""
    _, most = resource.getrlimit(kind)
    resource.setrlimit(kind, (value if most < 0 else min(value, most), most))
