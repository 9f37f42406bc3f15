"""Texts that the commands print."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from scripts.models.catalogue import Entry
from scripts.models.findings import Finding
from scripts.models.golden import Answer, Golden
from scripts.models.graph import Graph
from scripts.models.guess import Guess
from scripts.models.labels import likely_list
from scripts.models.variants import FEW_PICTURES, Better
from service.settings import BUNDLED_MODELS

MOST_CHARACTERS = 46
MOST_METADATA = 60


def inspection(graph: Graph, guessed: Guess) -> str:
    """Describe a file's inputs and outputs, and the guess."""
    lines = ["inputs", *(f"  {port}" for port in graph.inputs)]
    lines += ["outputs", *(f"  {port}" for port in graph.outputs)]
    lines += [f"written by {graph.producer or 'an unknown program'}"]
    for key, value in graph.metadata.items():
        lines.append(f"  {key}: {value[:MOST_METADATA]}{'...' * (len(value) > MOST_METADATA)}")
    if guessed.findings:
        lines += ["", "the most likely manifest", *_fields(guessed.findings)]
        lines += _labels(guessed)
    lines += ["", *(f"not supported: {problem}" for problem in guessed.problems)]
    return "\n".join(lines).rstrip()


def added(folder: Path, findings: Iterable[Finding]) -> str:
    """Describe the created folder and the next steps."""
    return "\n".join([*_fields(findings), "", f"{folder} loads.", *_next(folder)])


def fetched(folder: Path, entry: Entry) -> str:
    """Describe the downloaded model and the next steps."""
    return "\n".join(
        [f"{entry.source}", f"licence: {entry.licence}", f"{folder} loads.", *_next(folder)]
    )


def found(picture: str, answers: Sequence[Answer]) -> str:
    """Describe the objects found in a picture, one per line."""
    lines = [
        f"  {each.score:.2f} {each.class_name} at {', '.join(map(str, each.box_xyxy))}"
        for each in answers
    ]
    return "\n".join([picture, *(lines or ["  nothing"])])


def compared(golden: Golden, answers: Mapping[str, object], folder: Path) -> str:
    """Describe how many pictures have recorded results."""
    known = len(set(golden) & set(answers))
    text = f"Compared {known} of {len(answers)} pictures with {folder / 'golden.json'}"
    return text if known == len(answers) else f"{text}; --record adds the others"


def better(found_better: Better | None, pictures: int, *, is_detector: bool) -> list[str]:
    """Describe the changes to the manifest; print a line if there are none."""
    if found_better is None:
        if pictures < FEW_PICTURES:
            print(
                f"Nothing is grossly wrong with colours and normalisation; {FEW_PICTURES} "
                "photographs or more would tell finer errors"
            )
        else:
            print("No other colours or normalisation fit clearly better")
        return []
    what = "finds things surer" if is_detector else "tells pictures apart better"
    lines = [f"{found_better.reason}: it {what} with that ({_times(found_better.ratio)})"]
    lines += [
        f"  change input.{name} from {json.dumps(old)} to {json.dumps(new)}"
        for name, old, new in found_better.changes
    ]
    lines.append("  if the answers drawn are right all the same, --record them")
    return lines


def catalogue(entries: Iterable[Entry]) -> str:
    """List the models that can be downloaded."""
    return "\n".join(
        f"{each.name:22} {each.size / 1e6:5.1f} MB  {each.licence:12} {each.source}"
        for each in entries
    )


def _times(ratio: float) -> str:
    return "hardly anything as it is" if ratio > 100 else f"{ratio:.1f} times the score"


def _fields(findings: Iterable[Finding]) -> list[str]:
    lines = []
    for each in findings:
        value = json.dumps(each.value)
        shown = value if len(value) <= MOST_CHARACTERS else value[: MOST_CHARACTERS - 3] + "..."
        lines.append(f"  {each.field:18} {shown:{MOST_CHARACTERS}} {each.reason}")
    return lines


def _labels(guessed: Guess) -> list[str]:
    if guessed.labels is not None:
        names = ", ".join(guessed.labels[:8])
        return [f"  labels             {len(guessed.labels)} in the file: {names}, ..."]
    lines = []
    for output, count in guessed.classes.items():
        known = likely_list(count)
        hint = f"; use --labels {known} if it was trained on that" if known else ""
        where = f" of {output}" if output else ""
        counted = count if count else "an unknown number of"
        lines.append(f"  labels{where}             {counted} wanted{hint}")
    return lines


def _next(folder: Path) -> list[str]:
    is_detector = '"task": "detection"' in (folder / "manifest.json").read_text(encoding="utf-8")
    variable = "DETECTION_MODEL" if is_detector else "CLASSIFICATION_MODEL"
    base = folder.parent.resolve()
    prefix = "" if base == BUNDLED_MODELS.resolve() else f"BASE_MODEL_PATH={base} "
    return [
        "Next:",
        f"  {prefix}.venv/bin/python -m scripts.models check {folder.name} --images DIR",
        f"  {prefix}{variable}={folder.name} make start",
    ]
