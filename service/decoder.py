"""Decodes WebP, GIF, BMP and TIFF in a process of its own: a crash costs one picture.

The processes are those of service/workers.py. They write the pixels into memory that they share
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
from contextlib import suppress
from functools import cache

from gateway.deadline import Deadline, seconds_left
from gateway.errors import DeadlineExceeded
from inference.decoding.decode import JPEG_SIGNATURE, PNG_SIGNATURE, decode_scaled
from inference.decoding.source import Need, Scaled
from inference.errors import ImageTooLarge, NotAnImage, UnsupportedFormat
from inference.types import ImageRGB
from service.nursery import MESSAGE_BYTES
from service.processes import mapped, shared_file
from service.workers import Worker, Workers

IN_PROCESS = (JPEG_SIGNATURE, PNG_SIGNATURE)
"""A file without these never reaches JPEG's and PNG's decoders."""

ERRORS = {error.__name__: error for error in (NotAnImage, UnsupportedFormat, ImageTooLarge)}

logger = logging.getLogger("matchvec")


class Decoder:
    """Decodes what is not JPEG or PNG in a worker.

    Args:
        workers: Where they come from.
    """

    def __init__(self, workers: Workers | None = None) -> None:
        """Start nothing yet."""
        self._workers = workers or Workers()

    def __call__(self, data: bytes, *, max_pixels: int, need: Need, deadline: Deadline) -> Scaled:
        """Decode as `decode_scaled` does; unless it is JPEG or PNG, in a worker.

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
            MemoryError: The system has no process left for a worker.
        """
        worker = None if data.startswith(IN_PROCESS) else self._workers.take(deadline)
        if worker is None:
            return decode_scaled(data, max_pixels=max_pixels, need=need)
        answer, files = _ask(worker, data, {"max_pixels": max_pixels}, deadline)
        if not answer:
            worker.channel.close()
            logger.error("a decoder process died of a picture of %d bytes", len(data))
            raise NotAnImage("The picture's decoder failed or took too long: save it anew.")
        self._workers.give_back(worker)
        return Scaled.whole(_pixels(json.loads(answer), files))

    def close(self) -> None:
        """End all workers."""
        self._workers.close()


@cache
def shared_decoder() -> Decoder:
    """The one of this process."""
    decoder = Decoder()
    atexit.register(decoder.close)
    return decoder


def _ask(
    worker: Worker, data: bytes, options: dict[str, int], deadline: Deadline
) -> tuple[bytes, list[int]]:
    """A worker's answer, and the files that come with it; nothing if it died."""
    try:
        with shared_file() as file:
            file.write(data)
            file.flush()
            worker.channel.settimeout(seconds_left(deadline))
            socket.send_fds(worker.channel, [json.dumps(options).encode()], [file.fileno()])
        answer, files, _, _ = socket.recv_fds(worker.channel, MESSAGE_BYTES, 1)
    except TimeoutError as error:
        # While the channel is open at the other end, the process id is the worker's own.
        with suppress(ProcessLookupError):  # It may have ended a moment ago.
            os.kill(worker.pid, signal.SIGKILL)
        worker.channel.close()
        raise DeadlineExceeded(
            "The time limit of a request came before this picture was decoded: scale it down."
        ) from error
    except ConnectionError:
        return b"", []
    except BaseException:
        worker.channel.close()
        raise
    return answer, files


def _pixels(answer: list[int] | list[str], files: list[int]) -> ImageRGB:
    if not files:
        name, message = answer
        raise ERRORS[str(name)](str(message))
    try:
        return mapped(files[0], tuple(int(size) for size in answer))
    finally:
        os.close(files[0])
