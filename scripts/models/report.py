"""Texts that the commands print."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from scripts.models.advice import Advice
from scripts.models.catalogue import Entry
from scripts.models.findings import Finding
from scripts.models.golden import Answer, Golden
from scripts.models.graph import Graph
from scripts.models.guess import Guess
from scripts.models.labels import likely_list
from service.settings import BUNDLED_MODELS

MOST_CHARACTERS = 46
MOST_METADATA = 60


def inspection(graph: Graph, guessed: Guess) -> str:
    """Describe a file's inputs and outputs, and the guess."""
    lines = ["inputs", *(f"  {port}" for port in graph.inputs)]
    lines += ["outputs", *(f"  {port}" for port in graph.outputs)]
    lines += [f"  {other}  (not used)" for other in graph.others]
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


def advice(found: Advice | None) -> str:
    """Describe changes to the input that suit the pictures better."""
    if found is None:
        return "No other colours, normalisation or resize suit these pictures clearly better."
    lines = [f"Advice: {found.reason} ({found.ratio:.2f} times the {found.measure})."]
    lines += [
        f"  change input.{name} from {json.dumps(old)} to {json.dumps(new)}"
        for name, old, new in found.changes
    ]
    lines.append("  Without the change, look at the drawn pictures and --record them if right.")
    return "\n".join(lines)


def catalogue(entries: Iterable[Entry]) -> str:
    """List the models that can be downloaded."""
    return "\n".join(
        f"{each.name:22} {each.size / 1e6:5.1f} MB  {each.licence:12} {each.source}"
        for each in entries
    )


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
    prefix = (
        "" if base == BUNDLED_MODELS.resolve() else f"BASE_MODEL_PATH={shlex.quote(str(base))} "
    )
    return [
        "Next:",
        f"  {prefix}.venv/bin/python -m scripts.models check {folder.name} --images DIR",
        f"  {prefix}{variable}={folder.name} make start",
    ]
