"""Say why a file is no model that onnxruntime loads, and how to export it instead."""

from __future__ import annotations

import re

import onnxruntime

FORMATS = (
    (
        re.compile(rb"PK\x03\x04|\x80[\x02-\x05]"),
        "a file of PyTorch or Keras. Export it to ONNX, as docs/models.md shows",
    ),
    (
        re.compile(rb"\x89HDF"),
        "a file of Keras. Convert its SavedModel with tf2onnx, as docs/models.md shows",
    ),
    (
        re.compile(rb"....TFL3", re.DOTALL),
        "a file of TensorFlow Lite. Convert it with tf2onnx, as docs/models.md shows",
    ),
    (re.compile(rb"version https://git-lfs"), "a pointer of Git LFS. Run git lfs pull"),
    (re.compile(rb"\s*<"), "a web page. Download the file itself"),
    (re.compile(rb"$"), "empty. Copy it again"),
)
"""Beginnings of files in other formats, and what to say."""
RUNTIME = f"onnxruntime {onnxruntime.__version__}"
KNOWN = (
    (
        re.compile(r"protobuf parsing failed|No graph was found"),
        "it is no ONNX file, or a part of one. Copy or export it again",
    ),
    (
        re.compile(r"IR version: (?P<has>\d+), max supported IR version: (?P<most>\d+)"),
        f"its IR version is {{has}}, and {RUNTIME} reads at most {{most}}. Export it with an older "
        'onnx, or lower the number: model = onnx.load("in.onnx"); model.ir_version = {most}; '
        'onnx.save(model, "out.onnx")',
    ),
    (
        re.compile(r"Opset (?P<has>\d+) .* domain (?P<domain>\S+) is till opset (?P<most>\d+)"),
        f"its opset of {{domain}} is {{has}}, and {RUNTIME} supports at most {{most}}. "
        "Export it for an older opset",
    ),
    (
        re.compile(r"(?P<operator>\w+_TRT)\b|\bTRT:(?!\w+_TRT)(?P<other>\w+)|TensorRT"),
        "its operator {operator} is a plugin of TensorRT. Export the model for onnxruntime: "
        "without suppression, or with the operator NonMaxSuppression of ONNX",
    ),
    (
        re.compile(r"(?P<operator>TFLite_Detection_PostProcess)"),
        "its operator {operator} is TensorFlow Lite's own. Convert the file with tf2onnx and "
        "--opset 11 or later, which replaces it",
    ),
    (
        re.compile(
            r"No Op registered for (?P<operator>\w+)|Fatal error: (?:\S*:)?(?P<other>\w+)\("
        ),
        "onnxruntime lacks its operator {operator}. Export it without that operator",
    ),
    (
        re.compile(r"bfloat16"),
        "onnxruntime cannot run its bfloat16 operators on a CPU. Export the model in float32",
    ),
    (
        re.compile(r"Could not find an implementation for (?P<operator>\w+)"),
        "onnxruntime lacks its operator {operator} for this type on a CPU: "
        "export the model in float32",
    ),
)
"""Parts of onnxruntime's messages, and what to say instead."""


def other_format(content: bytes) -> str | None:
    """Return what a file of another format is and what to do, or None."""
    return next((text for pattern, text in FORMATS if pattern.match(content)), None)


def load_error(error: BaseException) -> str:
    """Return what is wrong and what to do, or the first line of an unknown message."""
    message = str(error)
    for pattern, text in KNOWN:
        if found := pattern.search(message):
            parts = found.groupdict()
            parts["operator"] = parts.get("operator") or parts.get("other") or "of suppression"
            return text.format_map(parts)
    return first_line(error)


def first_line(error: BaseException) -> str:
    """Return the first line of an error's message."""
    return str(error).strip().partition("\n")[0][:300]
