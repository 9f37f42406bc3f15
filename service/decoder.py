"""Decodes WebP, GIF, BMP and TIFF in a process of its own: a crash costs one picture.

    this process --fork, before there are threads--> nursery --fork, as needed--> workers

The nursery sees no picture, so there is always a clean process to fork a worker from. A worker
decodes one picture at a time and writes the pixels into memory that it shares with this process:
nothing is copied. JPEG and PNG are decoded in this process, for the reason that docs/decisions.md
gives with figures. (On Lambda there is no /dev/shm, but there is memfd_create.)
"""

from __future__ import annotations

import atexit
import json
import logging
import os
import resource
import signal
import socket
import sys
import time
import warnings
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from threading import Lock
from typing import NoReturn

import numpy as np

from gateway.deadline import Deadline
from gateway.errors import DeadlineExceeded
from inference.errors import ImageTooLarge, NotAnImage, PictureError, UnsupportedFormat
from inference.image import decode, decode_scaled
from inference.picture import Need, Scaled
from inference.types import ImageRGB
from service.processes import channels, fork, keep_only, limit, mapped, shared_file

IN_PROCESS = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n")
"""Signatures of JPEG and PNG. A file without them never reaches these two's decoders."""

CPU_SECONDS = 10
"""Of a picture: the slowest that the bounds let through takes 4 on one vCPU."""

MEMORY_BYTES = 1 << 30
"""Of a worker beyond what it starts with: a WebP of 50 megapixels takes 780 MB."""

MESSAGE_BYTES = 4096
ERRORS = {error.__name__: error for error in (NotAnImage, UnsupportedFormat, ImageTooLarge)}

logger = logging.getLogger("matchvec")


@dataclass(frozen=True, slots=True)
class Worker:
    """A process that decodes.

    Attributes:
        pid: Its process id, valid until the channel ends.
        channel: A socket that keeps messages apart.
    """

    pid: int
    channel: socket.socket


class Decoder:
    """Starts workers, keeps those that are idle, and asks them.

    Args:
        decode_file: What a worker does with a file.
        cpu_seconds: Processor time that one picture may take.
        memory_bytes: Memory that a worker may take.
    """

    def __init__(
        self,
        decode_file: Callable[..., ImageRGB] = decode,
        cpu_seconds: int = CPU_SECONDS,
        memory_bytes: int = MEMORY_BYTES,
    ) -> None:
        """Fork the nursery: before models are loaded, which starts threads.

        Raises:
            OSError: The system has no shared memory or no process for it.
        """
        shared_file().close()
        self._decode_file = decode_file
        self._limits = (cpu_seconds, memory_bytes)
        self._idle: list[Worker] = []
        self._lock = Lock()
        self._nursery, channel = channels()
        with warnings.catch_warnings():
            # Python 3.12 warns of every thread; what threads there are belong to OpenBLAS, idle.
            warnings.simplefilter("ignore", DeprecationWarning)
            self.pid = os.fork()
        if self.pid == 0:
            self._nurse(channel)
        channel.close()

    def __call__(self, data: bytes, *, max_pixels: int, need: Need, deadline: Deadline) -> Scaled:
        """Decode as `inference.image.decode_scaled` does; unless it is JPEG or PNG, in a worker.

        Args:
            data: The file.
            max_pixels: Most pixels of the whole picture, by the file's header.
            need: How many pixels are needed.
            deadline: When to give up.

        Returns:
            Pixels, which a worker that made them has let go of.

        Raises:
            PictureError: What `decode_scaled` raises; NotAnImage if the worker died of the picture.
            DeadlineExceeded: There was no answer in time.
        """
        if data.startswith(IN_PROCESS):
            return decode_scaled(data, max_pixels=max_pixels, need=need)
        worker = None
        try:
            worker = self._take(deadline)
            if worker is None:
                return decode_scaled(data, max_pixels=max_pixels, need=need)
            worker.channel.settimeout(_seconds(deadline))
            answer, files = _ask(worker.channel, data, {"max_pixels": max_pixels})
        except TimeoutError as error:
            if worker:
                # While the channel is open at the other end, the process id is the worker's own.
                with suppress(ProcessLookupError):  # It may have ended a moment ago.
                    os.kill(worker.pid, signal.SIGKILL)
                worker.channel.close()
            raise DeadlineExceeded(
                "The time limit of a request came before this picture was decoded: scale it down."
            ) from error
        except ConnectionError:
            answer = b""
        except BaseException:
            if worker:
                worker.channel.close()
            raise
        assert worker  # noqa: S101  for the type checker: only a worker's channel ends
        if not answer:
            worker.channel.close()
            logger.error("a decoder process died of a picture of %d bytes", len(data))
            raise NotAnImage("The picture's decoder failed or took too long: save it anew.")
        with self._lock:
            self._idle.append(worker)
        return Scaled.whole(_pixels(json.loads(answer), files))

    def close(self) -> None:
        """End all processes; for tests, as they also end with this one."""
        for worker in self._idle:
            worker.channel.close()
        self._nursery.close()
        os.waitpid(self.pid, 0)

    def _take(self, deadline: Deadline) -> Worker | None:
        """An idle worker, or a new one; None when the nursery is gone, killed for memory, say."""
        with self._lock:
            while self._idle:
                worker = self._idle.pop()
                if _is_alive(worker):
                    return worker
                worker.channel.close()
            mine, theirs = channels()
            with theirs:
                try:
                    socket.send_fds(self._nursery, [b"."], [theirs.fileno()])
                except ConnectionError:
                    logger.error("the decoders' nursery has died: decoding in the function itself")
                    mine.close()
                    return None
        mine.settimeout(_seconds(deadline))
        pid = mine.recv(MESSAGE_BYTES)
        if not pid:
            raise MemoryError("no process for a decoder")
        return Worker(int(pid), mine)

    def _nurse(self, channel: socket.socket) -> NoReturn:
        """The nursery's life: fork a worker for every channel that arrives."""
        try:
            signal.signal(signal.SIGCHLD, signal.SIG_IGN)
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            keep_only(channel)
            while True:
                _, files, _, _ = socket.recv_fds(channel, 1, 1)
                if not files:
                    os._exit(0)
                if fork() == 0:
                    channel.close()
                    self._work(socket.socket(fileno=files[0]))
                os.close(files[0])
        finally:
            os._exit(0)

    def _work(self, channel: socket.socket) -> NoReturn:
        """A worker's life: decode what arrives, until nobody is there to send."""
        cpu_seconds, memory_bytes = self._limits
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
            self._answer(channel, files[0], json.loads(request)["max_pixels"])

    def _answer(self, channel: socket.socket, file: int, max_pixels: int) -> None:
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
            shape = self._decode_file(data, max_pixels=max_pixels, allocate=allocate).shape
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


class InProcess:
    """The same where there is no Linux, or one that refuses what `Decoder` needs.

    A picture that crashes its decoder ends this process, so it is no choice for strangers' ones.
    """

    def __call__(self, data: bytes, *, max_pixels: int, need: Need, deadline: Deadline) -> Scaled:
        """Decode here, for as long as it takes."""
        return decode_scaled(data, max_pixels=max_pixels, need=need)


@cache
def shared_decoder() -> Decoder | InProcess:
    """The one of this process: macOS can't be trusted with forks, and has no memfd_create."""
    if sys.platform != "linux":
        return InProcess()
    try:
        decoder = Decoder()
    except OSError as error:  # A sandbox's filter of system calls: every answer is worth more.
        logger.warning("pictures are all decoded in this process, unprotected: %s", error)
        return InProcess()
    atexit.register(decoder.close)
    return decoder


def _is_alive(worker: Worker) -> bool:
    """Whether an idle worker still waits: one can be killed while Lambda has it frozen."""
    worker.channel.settimeout(0)
    try:
        worker.channel.recv(1)
    except BlockingIOError:
        return True
    except ConnectionError:
        return False
    return False


def _seconds(deadline: Deadline) -> float:
    """For a socket's timeout, where 0 would mean "do not block"."""
    return max(0.001, deadline.remaining)


def _ask(channel: socket.socket, data: bytes, options: dict[str, int]) -> tuple[bytes, list[int]]:
    with shared_file() as file:
        file.write(data)
        file.flush()
        socket.send_fds(channel, [json.dumps(options).encode()], [file.fileno()])
    answer, files, _, _ = socket.recv_fds(channel, MESSAGE_BYTES, 1)
    return answer, files


def _pixels(answer: list[int] | list[str], files: list[int]) -> ImageRGB:
    if not files:
        name, message = answer
        raise ERRORS[str(name)](str(message))
    try:
        return mapped(files[0], tuple(int(size) for size in answer))
    finally:
        os.close(files[0])
