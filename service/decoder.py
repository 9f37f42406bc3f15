"""Decodes WebP, GIF, BMP and TIFF in a process of its own: a crash costs one picture.

The processes are those of service/nursery.py. A worker writes the pixels into memory that it shares
with this process: nothing is copied. JPEG and PNG are decoded in this process, for the reason that
docs/decisions.md gives with figures.
"""

from __future__ import annotations

import atexit
import json
import logging
import os
import signal
import socket
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from threading import Lock

from gateway.deadline import Deadline
from gateway.errors import DeadlineExceeded
from inference.errors import ImageTooLarge, NotAnImage, UnsupportedFormat
from inference.image import decode_scaled
from inference.picture import Need, Scaled
from inference.types import ImageRGB
from service.nursery import MESSAGE_BYTES, NoNursery, Nursery, is_open, start_nursery
from service.processes import channels, mapped, shared_file

IN_PROCESS = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n")
"""Signatures of JPEG and PNG. A file without them never reaches these two's decoders."""

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
    """Has workers started, keeps those that are idle, and asks them.

    Args:
        start: Starts the nursery that they come from.
    """

    def __init__(self, start: Callable[[], Nursery] = start_nursery) -> None:
        """Start nothing yet."""
        self._start = start
        self._nursery: Nursery | None = None
        self._is_alone = False
        self._idle: list[Worker] = []
        self._lock = Lock()

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
        """End all processes, as they also do when this one ends in whatever way."""
        for worker in self._idle:
            worker.channel.close()
        if self._nursery:
            self._nursery.close()

    def _take(self, deadline: Deadline) -> Worker | None:
        """An idle worker, or a new one; None where there can be none."""
        with self._lock:
            while self._idle:
                worker = self._idle.pop()
                if is_open(worker.channel):
                    return worker
                worker.channel.close()
            nursery = self._living_nursery()
            if nursery is None:
                return None
            mine, theirs = channels()
            with theirs, suppress(ConnectionError):  # It may have died this very moment.
                socket.send_fds(nursery.channel, [b"."], [theirs.fileno()])
        try:
            mine.settimeout(_seconds(deadline))
            pid = mine.recv(MESSAGE_BYTES)
        except BaseException:
            mine.close()
            raise
        if pid:
            return Worker(int(pid), mine)
        mine.close()
        with self._lock:
            if nursery.is_alive:
                raise MemoryError("no process for a decoder")
        logger.error("the decoders' nursery has died: decoding in the function itself")
        return None

    def _living_nursery(self) -> Nursery | None:
        """The one that there is, or a new one; None where there can be none."""
        if self._nursery and not self._nursery.is_alive:
            self._nursery.close()
            self._nursery = None
        if self._nursery is None and not self._is_alone:
            try:
                self._nursery = self._start()
            except NoNursery as error:  # Every answer is worth more than the protection.
                self._is_alone = True
                logger.warning("pictures are all decoded in this process, unprotected: %s", error)
        return self._nursery


@cache
def shared_decoder() -> Decoder:
    """The one of this process."""
    decoder = Decoder()
    atexit.register(decoder.close)
    return decoder


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
