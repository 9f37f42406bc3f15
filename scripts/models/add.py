"""Create a model folder from an ONNX file and the user's options."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scripts.models.errors import ToolError
from scripts.models.findings import Finding, nested, put
from scripts.models.folder import install
from scripts.models.graph import Graph, metadata_value, read_graph
from scripts.models.guess import Guess, guess
from scripts.models.labels import (
    adjacent_labels,
    check_count,
    likely_list,
    likely_vehicles,
    read_labels,
    without_background,
)

Ask = Callable[[str, str, str], str]
"""(topic, question, default) -> answer; see `console.ask`."""


@dataclass(frozen=True, slots=True)
class ModelOptions:
    """The user's options for a model.

    Attributes:
        name: Name of the folder.
        labels: Files or known lists; `OUTPUT=FILE` for each of several outputs.
        vehicles: Labels that `/predict` classifies; empty to recognise vehicles by their names.
        licence: Licence; "" if unknown.
        version: The publisher's version.
        source: Origin; "" if unknown.
        changes: Fields of the manifest such as `input.color=BGR`; the value is JSON or text.
        replace: Whether to replace an existing model.
    """

    name: str
    labels: tuple[str, ...] = ()
    vehicles: tuple[str, ...] = ()
    licence: str = ""
    version: str = "1"
    source: str = ""
    changes: tuple[str, ...] = ()
    replace: bool = False


def add_model(
    base: Path, model: Path, options: ModelOptions, ask: Ask
) -> tuple[Path, tuple[Finding, ...]]:
    """Create the folder `base`/NAME; return it and the reasons for its manifest.

    Raises:
        ToolError: The file is not a usable model, or an option is missing.
    """
    graph = read_graph(model)
    changes = parse_changes(options.changes)
    pairs = [text.partition("=") for text in options.labels]
    wanted = [output for output, equals, _ in pairs if equals]
    guessed = guess(graph, _size(changes), _known_labels(options, model), wanted)
    # A change can supply what could not be guessed, such as a constant.
    if guessed.problems and not (guessed.findings and "input.constants" in changes):
        raise ToolError("; ".join(guessed.problems))
    values = nested(guessed.findings)
    labels, reasons = _labels(options, guessed, model, ask)
    values["name"] = options.name
    values["version"] = options.version
    licence = (
        options.licence
        or metadata_value(graph, "license")
        or ask("licence", "Its licence", "not stated")
    )
    values["licence"] = str(licence)
    values["source"] = options.source or _source(graph, model)
    if "" in labels:
        values["vehicles"] = _vehicles(options.vehicles, labels[""], ask)
        why = "labels that /predict classifies; --vehicles changes them"
        reasons.append(Finding("vehicles", values["vehicles"], why))
    for path, value in changes.items():
        put(values, path, value)
    findings = [each for each in guessed.findings if each.field not in changes]
    findings += [Finding(path, value, "your --set") for path, value in changes.items()]
    findings += reasons
    return install(base, graph.content, values, labels, replace=options.replace), tuple(findings)


def parse_changes(texts: Sequence[str]) -> dict[str, Any]:
    """Parse texts such as `input.mean=[0, 0, 0]`; an empty value removes a field.

    Raises:
        ToolError: A text has no `=`.
    """
    changes: dict[str, Any] = {}
    for text in texts:
        path, equals, value = text.partition("=")
        if not equals or not path:
            raise ToolError(f"--set {text!r} must look like input.color=BGR")
        changes[path.strip()] = _json_or_text(value.strip())
    return changes


def _json_or_text(text: str) -> Any:  # noqa: ANN401  JSON can be anything
    if not text:
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _size(changes: Mapping[str, Any]) -> tuple[int, int] | None:
    width, height = changes.get("input.width"), changes.get("input.height")
    if isinstance(width, int) and isinstance(height, int):
        return width, height
    return None


def _known_labels(options: ModelOptions, model: Path) -> tuple[str, ...] | None:
    """Return the labels of a model with a single output, before its outputs are known."""
    if len(options.labels) == 1 and "=" not in options.labels[0]:
        return read_labels(options.labels[0])
    adjacent = adjacent_labels(model, None)
    return adjacent[1] if adjacent and not options.labels else None


def _labels(
    options: ModelOptions, guessed: Guess, model: Path, ask: Ask
) -> tuple[dict[str, tuple[str, ...]], list[Finding]]:
    """Return the labels of every output and their origin.

    They come from the options, the model's metadata, a file next to it, or the user.
    """
    given = {
        output: read_labels(file)
        for output, file in (_split_labels(text, guessed) for text in options.labels)
    }
    if strangers := sorted(set(given) - set(guessed.classes)):
        raise ToolError(f"--labels: no output {strangers}. Choose from {sorted(guessed.classes)}")
    labels: dict[str, tuple[str, ...]] = {}
    reasons: list[Finding] = []
    for output, count in guessed.classes.items():
        where = f"output {output}" if output else "the model"
        found = given.get(output)
        if found is None and guessed.labels is not None and len(guessed.classes) == 1:
            found = guessed.labels
        if found is None and (adjacent := adjacent_labels(model, count)):
            path, found = adjacent
            reasons.append(Finding("labels", list(found), f"{path.name} next to the model"))
        if found is None:
            counted = f"{count} classes" if count else "classes"
            several = f"; as --labels {output}=FILE" if len(guessed.classes) > 1 else ""
            listed = f"path of a file, or coco80{several}"
            question = f"Labels of {where}'s {counted} ({listed})"
            found = read_labels(ask("labels", question, likely_list(count) or ""))
        if _counts_no_background(guessed) and (names := without_background(found)) != found:
            reason = f"without {found[0]!r}: no box has this class"
            reasons.append(Finding("labels", list(names), reason))
            found = names
        check_count(found, count, where)
        labels[output] = found
    return labels, reasons


def _counts_no_background(guessed: Guess) -> bool:
    """Return whether the first label is an object's, as with TensorFlow's detectors."""
    return bool(guessed.value("output.format") == "ssd" or guessed.value("output.first_class") == 1)


def _split_labels(text: str, guessed: Guess) -> tuple[str, str]:
    """Split `OUTPUT=FILE`; a single output needs only `FILE`."""
    output, equals, file = text.partition("=")
    if len(guessed.classes) == 1 and output not in guessed.classes:
        return next(iter(guessed.classes)), text
    if not equals:
        names = ", ".join(f"--labels {name}=FILE" for name in guessed.classes)
        raise ToolError(f"the model has several outputs. Pass {names}")
    return output, file


def _vehicles(given: Sequence[str], labels: Sequence[str], ask: Ask) -> list[str]:
    if unknown := sorted(set(given) - set(labels)):
        raise ToolError(f"--vehicles: {unknown} are not among the labels")
    vehicles = list(given) or likely_vehicles(labels)
    if not vehicles:
        question = (
            f"Labels that /predict classifies as vehicles, a,b,c out of {', '.join(labels[:9])}"
        )
        answer = ask("vehicles", question, "")
        return _vehicles([name.strip() for name in answer.split(",") if name.strip()], labels, ask)
    return vehicles


def _source(graph: Graph, model: Path) -> str:
    description = metadata_value(graph, "description")
    return f"{description}, {model.name}" if isinstance(description, str) else model.name
