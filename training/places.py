"""Folders that a training reads and writes, and its device."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Places:
    """Folders and files of one training.

    `data` and `models` are the data sets and pretrained models, `teachers` the file that
    `training.data` writes, `folder` takes checkpoints and log, `start` holds the weights to begin
    with (None: the pretrained model's), `device` is torch's name of the processor.
    """

    data: Path
    models: Path
    teachers: Path
    folder: Path
    start: Path | None
    device: str
