"""The decoders' processes as the function sees them: idle ones, and new ones of the nursery's."""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from threading import Lock

from gateway.deadline import Deadline, seconds_left
from gateway.errors import DeadlineExceeded
from service.nursery import MESSAGE_BYTES, NoNursery, Nursery, is_open, start_nursery
from service.processes import channels

ATTEMPTS = 2
"""A nursery that was killed, for memory, say, is replaced."""

MAX_STILLBORN = 3
"""Nurseries in a row that have died before they had a worker: a further one would do the same."""

UNPROTECTED = "pictures are all decoded in this process, unprotected: %s"

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


class Workers:
    """Has workers started, and keeps those that are idle.

    Args:
        start: Starts the nursery that they come from.
    """

    def __init__(self, start: Callable[[], Nursery] = start_nursery) -> None:
        """Start nothing yet."""
        self._start = start
        self._nursery: Nursery | None = None
        self._stillborn = 0
        self._idle: list[Worker] = []
        self._lock = Lock()

    def take(self, deadline: Deadline) -> Worker | None:
        """An idle worker, or a new one; None where there can be none.

        Raises:
            DeadlineExceeded: There was none in time.
            MemoryError: The system has no process left for one.
        """
        for _ in range(ATTEMPTS):
            with self._lock:
                if worker := self._take_idle():
                    return worker
                nursery = self._living_nursery()
                if nursery is None:
                    return None
                mine, theirs = channels()
                with theirs, suppress(ConnectionError):  # It may have died this very moment.
                    socket.send_fds(nursery.channel, [b"."], [theirs.fileno()])
            pid = _first_words(mine, deadline)
            with self._lock:
                if pid:
                    self._stillborn = 0
                    return Worker(int(pid), mine)
                if nursery is self._nursery and nursery.is_alive:
                    raise MemoryError("no process for a decoder")
        logger.error("no nursery has lived long enough: decoding in the function itself")
        return None

    def give_back(self, worker: Worker) -> None:
        """Keep a worker for the next picture."""
        with self._lock:
            self._idle.append(worker)

    def close(self) -> None:
        """End all processes, as they also do when this one ends in whatever way."""
        for worker in self._idle:
            worker.channel.close()
        if self._nursery:
            self._nursery.close()

    def _take_idle(self) -> Worker | None:
        while self._idle:
            worker = self._idle.pop()
            if is_open(worker.channel):
                return worker
            worker.channel.close()
        return None

    def _living_nursery(self) -> Nursery | None:
        """The one that there is, or a new one; None where there can be none."""
        if self._nursery and not self._nursery.is_alive:
            status = self._nursery.close()
            self._nursery = None
            logger.error("the decoders' nursery has died with status %d", status)
            if self._stillborn == MAX_STILLBORN:
                logger.warning(UNPROTECTED, "no nursery lives")
        if self._nursery is None and self._stillborn < MAX_STILLBORN:
            try:
                self._nursery = self._start()
                self._stillborn += 1  # Until it has had a worker.
            except NoNursery as error:  # Every answer is worth more than the protection.
                self._stillborn = MAX_STILLBORN
                logger.warning(UNPROTECTED, error)
        return self._nursery


def _first_words(channel: socket.socket, deadline: Deadline) -> bytes:
    """What a new worker says of itself; nothing if there is none."""
    try:
        channel.settimeout(seconds_left(deadline))
        words = channel.recv(MESSAGE_BYTES)
    except TimeoutError as error:
        channel.close()
        raise DeadlineExceeded(
            "The time limit of a request came before a decoder was ready: send it again."
        ) from error
    except ConnectionError:
        words = b""
    if not words:
        channel.close()
    return words
