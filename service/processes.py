"""What processes are alone with a stranger's file by, and what they hand over."""

from __future__ import annotations

import mmap
import os
import resource
import socket
from typing import IO

import numpy as np

from inference.types import ImageRGB


def fork() -> int:
    """`os.fork`, or -1 where there is no memory or no process left for it."""
    try:
        return os.fork()
    except OSError:
        return -1


def limit(kind: int, value: int) -> None:
    """Set a soft limit of `resource`, as far as the hard one lets it."""
    _, most = resource.getrlimit(kind)
    resource.setrlimit(kind, (value if most < 0 else min(value, most), most))


def channels() -> tuple[socket.socket, socket.socket]:
    """Both ends of a connection that keeps messages apart, and tells when the other end is gone."""
    return socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)


def shared_file() -> IO[bytes]:
    """A file in memory, whose descriptor another process can be given."""
    return os.fdopen(os.memfd_create("picture"), "w+b")


def mapped(descriptor: int, shape: tuple[int, ...]) -> ImageRGB:
    """An array over a shared file; it keeps the memory, and needs no descriptor.

    Raises:
        MemoryError: There is none left for it.
    """
    try:
        memory = mmap.mmap(descriptor, int(np.prod(shape)))
    except OSError as error:
        raise MemoryError from error
    return np.frombuffer(memory, dtype=np.uint8).reshape(shape)
