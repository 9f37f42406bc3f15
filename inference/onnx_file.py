"""Find out whether an ONNX file is the whole model, by reading the fields of its protobuf.

The deployed function has no protobuf library. Field numbers are those of
https://github.com/onnx/onnx/blob/main/onnx/onnx.proto, the wire format is that of
https://protobuf.dev/programming-guides/encoding.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

VARINT, FIXED64, LENGTH, FIXED32 = 0, 1, 2, 5
"""Wire types."""
MAX_VARINT_BITS = 63
FIXED_SIZES = {FIXED64: 8, FIXED32: 4}

Message = Mapping[int, str]
"""Fields of a message that lead to tensors: number -> name of the inner message."""

MESSAGES: Mapping[str, Message] = {
    "ModelProto": {7: "GraphProto", 20: "TrainingInfoProto", 25: "FunctionProto"},
    "TrainingInfoProto": {1: "GraphProto", 2: "GraphProto"},
    "GraphProto": {1: "NodeProto", 5: "TensorProto", 15: "SparseTensorProto"},
    "FunctionProto": {7: "NodeProto", 11: "AttributeProto"},
    "NodeProto": {5: "AttributeProto"},
    "AttributeProto": {
        5: "TensorProto",
        6: "GraphProto",
        10: "TensorProto",
        11: "GraphProto",
        22: "SparseTensorProto",
        23: "SparseTensorProto",
    },
    "SparseTensorProto": {1: "TensorProto", 2: "TensorProto"},
}
EXTERNAL_DATA_FIELD = 13
DATA_LOCATION_FIELD = 14
"""Fields of a TensorProto: where its values are, and whether they are in another file."""
LOCATION_KEY = b"location"
"""Key that every external tensor has: without it, onnxruntime refuses the tensor."""


def has_external_data(model: bytes) -> bool:
    """Return whether the values of a tensor are in another file.

    Args:
        model: Content of an ONNX file.

    Raises:
        ValueError: The content is not a protobuf message.
    """
    # Most files do not have the word at all, which is faster to see.
    return LOCATION_KEY in model and _is_external(memoryview(model), "ModelProto")


def _is_external(message: memoryview, name: str) -> bool:
    """Search the message and all that it holds; a stack replaces recursion."""
    stack = [(message, name)]
    while stack:
        content, kind = stack.pop()
        for number, value in _fields(content):
            if kind == "TensorProto":
                if number == EXTERNAL_DATA_FIELD or (number == DATA_LOCATION_FIELD and value == 1):
                    return True
            elif number in MESSAGES[kind] and isinstance(value, memoryview):
                stack.append((value, MESSAGES[kind][number]))
    return False


def _fields(message: memoryview) -> Iterator[tuple[int, int | memoryview | None]]:
    """Yield number and value of every field; the value of a fixed-size field is None.

    Raises:
        ValueError: The message is truncated or has another wire type.
    """
    position = 0
    while position < len(message):
        tag, position = _varint(message, position)
        number, wire_type = tag >> 3, tag & 7
        if wire_type == VARINT:
            value, position = _varint(message, position)
            yield number, value
            continue
        if wire_type == LENGTH:
            size, position = _varint(message, position)
        elif wire_type in FIXED_SIZES:
            size = FIXED_SIZES[wire_type]
        else:
            raise ValueError(f"wire type {wire_type} is not used by ONNX")
        end = position + size
        if end > len(message):
            raise ValueError("a field is truncated")
        yield number, message[position:end] if wire_type == LENGTH else None
        position = end


def _varint(message: memoryview, position: int) -> tuple[int, int]:
    """Read an integer of 7 bits per byte; return it and the position after it."""
    value = shift = 0
    while True:
        if position >= len(message) or shift > MAX_VARINT_BITS:
            raise ValueError("a number is truncated")
        byte = message[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if not byte & 0x80:
            return value, position
        shift += 7
