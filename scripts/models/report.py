"""What the commands print."""

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
    """A file's inputs and outputs, and the guess."""
    lines = ["inputs", *(f"  {port}" for port in graph.inputs)]
    lines += ["outputs", *(f"  {port}" for port in graph.outputs)]
    lines += [f"made by {graph.producer or 'a program that does not say'}"]
    for key, value in graph.metadata.items():
        lines.append(f"  {key}: {value[:MOST_METADATA]}{'...' * (len(value) > MOST_METADATA)}")
    if guessed.findings:
        lines += ["", "the manifest that it most likely needs", *_fields(guessed.findings)]
        lines += _labels(guessed)
    lines += ["", *(f"not supported: {problem}" for problem in guessed.problems)]
    return "\n".join(lines).rstrip()


def added(folder: Path, findings: Iterable[Finding]) -> str:
    """What was written, and how to go on."""
    return "\n".join([*_fields(findings), "", f"{folder} loads.", *_next(folder)])


def fetched(folder: Path, entry: Entry) -> str:
    """What was downloaded, and how to go on."""
    return "\n".join(
        [f"{entry.source}", f"licence: {entry.licence}", f"{folder} loads.", *_next(folder)]
    )


def found(picture: str, answers: Sequence[Answer]) -> str:
    """What was found in a picture, a line for each."""
    lines = [
        f"  {each.score:.2f} {each.class_name} at {', '.join(map(str, each.box_xyxy))}"
        for each in answers
    ]
    return "\n".join([picture, *(lines or ["  nothing"])])


def compared(golden: Golden, answers: Mapping[str, object], folder: Path) -> str:
    """How many pictures have recorded answers."""
    known = len(set(golden) & set(answers))
    text = f"Compared {known} of {len(answers)} pictures with {folder / 'golden.json'}"
    return text if known == len(answers) else f"{text}; --record also takes the others"


def better(found_better: Better | None, pictures: int, *, is_detector: bool) -> list[str]:
    """What to change in the manifest; that nothing has to be is printed at once."""
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
    """The models that can be fetched."""
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
        return [f"  labels             {len(guessed.labels)} in the file itself: {names}, ..."]
    lines = []
    for output, count in guessed.classes.items():
        known = likely_list(count)
        hint = f"; --labels {known} if it was trained on that" if known else ""
        where = f" of {output}" if output else ""
        counted = count if count else "as many as it was trained with"
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
