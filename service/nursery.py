"""Processes that decode strangers' pictures, and the process that they are forked from.

    this process --spawn, when first needed--> nursery --fork, as needed--> workers

The nursery sees no picture, so there is always a clean process to fork a worker from. It is a new
Python and no fork of this process: so it knows no model, no secret and no thread of it, and a start
pays nothing for it. (On Lambda there is no /dev/shm, but there is memfd_create.)
"""

from __future__ import annotations

import errno
import json
import os
import resource
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import NoReturn

import numpy as np

from inference.errors import ImageTooLarge, PictureError
from inference.types import ImageRGB
from service.processes import channels, fork, limit, mapped, shared_file

CPU_SECONDS = 10
"""Of a picture: the slowest that the bounds let through takes 4 on one vCPU."""

MEMORY_BYTES = 1 << 30
"""Of a worker beyond what it starts with: a WebP of 50 megapixels takes 780 MB."""

MESSAGE_BYTES = 4096
END_SECONDS = 5.0

PASSING = (errno.EAGAIN, errno.ENOMEM, errno.EMFILE, errno.ENFILE)
"""The system's errors that say that there is too little of something, not that it can't be had."""

DECODE = "inference.decoding.decode:decode"

BOOTSTRAP = """
import json, sys
sys.path[:], options = json.loads(sys.argv[1])
from service.nursery import main
main(**options)
"""
"""What the new Python runs: it finds the modules that this one finds, and nothing else."""

KEPT_VARIABLES = ("LD_LIBRARY_PATH", "OPENBLAS_NUM_THREADS")
"""Of the environment: what Python itself may need to start, and no credentials."""

DecodeFile = Callable[..., ImageRGB]
"""As `inference.decoding.decode.decode`."""


class NoNursery(Exception):
    """There can be none here; the message says why."""


@dataclass(frozen=True, slots=True)
class Nursery:
    """The process that workers are forked from.

    Attributes:
        process: It.
        channel: A worker starts for every socket that is sent through it.
    """

    process: subprocess.Popen[bytes]
    channel: socket.socket

    @property
    def is_alive(self) -> bool:
        """Whether workers can be had: its end of the channel ends with it."""
        return is_open(self.channel)

    def close(self) -> int:
        """End it; returns its exit status, or less than 0, the signal's number."""
        self.channel.close()
        try:
            return self.process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()


def start_nursery(
    decode_file: str = DECODE, cpu_seconds: int = CPU_SECONDS, memory_bytes: int = MEMORY_BYTES
) -> Nursery:
    """Start a nursery.

    Args:
        decode_file: What a worker does with a file: a module, a colon, and a `DecodeFile` in it.
        cpu_seconds: Processor time that one picture may take.
        memory_bytes: Memory that a worker may take.

    Raises:
        NoNursery: The system has no shared memory or lets no process start. (macOS has no
            memfd_create.)
        MemoryError: There is none left at the moment, or no process or file.
    """
    if sys.platform != "linux" or not sys.executable:
        raise NoNursery(f"{sys.platform} has no memfd_create, or Python does not know its own file")
    try:
        return _start(
            {"decode_file": decode_file, "cpu_seconds": cpu_seconds, "memory_bytes": memory_bytes}
        )
    except OSError as error:
        if error.errno in PASSING:
            raise MemoryError("no process for decoders") from error
        raise NoNursery(str(error)) from error  # A sandbox's filter of system calls, say.


def _start(options: Mapping[str, str | int]) -> Nursery:
    shared_file().close()
    mine, theirs = channels()
    with theirs:
        arguments = json.dumps([sys.path, {"descriptor": theirs.fileno(), **options}])
        try:
            process = subprocess.Popen(  # noqa: S603  this Python, and arguments of our own
                [sys.executable, "-IS", "-c", BOOTSTRAP, arguments],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                # What decoders write to it is no log of ours: libtiff writes a client's words.
                stderr=subprocess.DEVNULL,
                env={name: os.environ[name] for name in KEPT_VARIABLES if name in os.environ},
                start_new_session=True,
            )
        except OSError:
            mine.close()
            raise
    return Nursery(process, mine)


def is_open(channel: socket.socket) -> bool:
    """Whether somebody is at the other end, with nothing to say.

    A process can be killed while Lambda has it frozen.
    """
    channel.settimeout(0)
    try:
        channel.recv(1)
    except BlockingIOError:
        return True
    except ConnectionError:
        return False
    finally:
        channel.settimeout(None)
    return False


def main(descriptor: int, decode_file: str, cpu_seconds: int, memory_bytes: int) -> NoReturn:
    """The nursery's life: fork a worker for every channel that arrives.

    Args:
        descriptor: Of its own channel.
        decode_file: As in `start_nursery`.
        cpu_seconds: As there.
        memory_bytes: As there.
    """
    channel = socket.socket(fileno=descriptor)
    module, _, name = decode_file.partition(":")
    decode: DecodeFile = getattr(import_module(module), name)
    import_module("inference.decoding.formats")  # Here, so that no worker has to.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    try:
        while True:
            _, files, _, _ = socket.recv_fds(channel, 1, 1)
            if not files:
                os._exit(0)
            if fork() == 0:
                channel.close()
                _work(socket.socket(fileno=files[0]), decode, cpu_seconds, memory_bytes)
            os.close(files[0])
    finally:
        os._exit(0)


def _work(
    channel: socket.socket, decode_file: DecodeFile, cpu_seconds: int, memory_bytes: int
) -> NoReturn:
    """A worker's life: decode what arrives, until nobody is there to send."""
    with open("/proc/self/statm") as file:
        used = int(file.read().split()[0]) * resource.getpagesize()
    limit(resource.RLIMIT_AS, used + memory_bytes)
    limit(resource.RLIMIT_CORE, 0)
    channel.send(str(os.getpid()).encode())
    while True:
        request, files, _, _ = socket.recv_fds(channel, MESSAGE_BYTES, 1)
        if not files:
            os._exit(0)
        limit(resource.RLIMIT_CPU, int(time.process_time()) + 1 + cpu_seconds)
        _answer(channel, files[0], decode_file, json.loads(request)["max_pixels"])


def _answer(channel: socket.socket, file: int, decode_file: DecodeFile, max_pixels: int) -> None:
    shared: list[int] = []

    def allocate(shape: tuple[int, ...]) -> ImageRGB:
        with shared_file() as pixels:
            pixels.truncate(int(np.prod(shape)))
            shared.append(os.dup(pixels.fileno()))
        return mapped(shared[0], shape)

    try:
        with os.fdopen(file, "rb") as content:
            content.seek(0)
            data = content.read()
        shape = decode_file(data, max_pixels=max_pixels, allocate=allocate).shape
    except PictureError as error:
        channel.send(json.dumps([type(error).__name__, error.message]).encode())
    except MemoryError:
        message = "The picture needs more memory than there is: scale it down."
        channel.send(json.dumps([ImageTooLarge.__name__, message]).encode())
    else:
        socket.send_fds(channel, [json.dumps(shape).encode()], shared)
    finally:
        for descriptor in shared:
            os.close(descriptor)
