"""External data is found wherever a tensor can be, and nothing else is mistaken for it."""

from __future__ import annotations

from collections.abc import Callable

import onnx
import pytest
from onnx import TensorProto, helper

from inference.onnx_file import has_external_data
from tests.support.models import tiny_onnx

Place = Callable[[onnx.ModelProto], TensorProto]


def branch(model: onnx.ModelProto) -> onnx.GraphProto:
    """Return the inner graph of an `If` node."""
    attribute = model.graph.node.add(op_type="If").attribute.add(name="then_branch")
    attribute.type = onnx.AttributeProto.GRAPH
    graph: onnx.GraphProto = attribute.g
    return graph


PLACES: dict[str, Place] = {
    "an initializer": lambda model: model.graph.initializer.add(),
    "an attribute": lambda model: model.graph.node[0].attribute.add().t,
    "a list of tensors": lambda model: model.graph.node[0].attribute.add().tensors.add(),
    "a branch": lambda model: branch(model).initializer.add(),
    "a list of graphs": lambda model: (
        model.graph.node[0].attribute.add().graphs.add().initializer.add()
    ),
    "a sparse initializer": lambda model: model.graph.sparse_initializer.add().values,
    "sparse indices": lambda model: model.graph.node[0].attribute.add().sparse_tensor.indices,
    "a function": lambda model: model.functions.add().node.add().attribute.add().t,
    "a default of a function": lambda model: model.functions.add().attribute_proto.add().t,
    "training": lambda model: model.training_info.add().algorithm.initializer.add(),
}


def point(tensor: TensorProto, *, key_first: bool = True, with_flag: bool = True) -> None:
    """Set the tensor's values to those of another file."""
    entries = [("offset", "0"), ("location", "weights.bin")]
    for key, value in reversed(entries) if key_first else entries:
        tensor.external_data.add(key=key, value=value)
    if with_flag:
        tensor.data_location = TensorProto.EXTERNAL


@pytest.mark.parametrize("key_first", [True, False])
@pytest.mark.parametrize("with_flag", [True, False])
@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)
def test_external_data_is_found(place: Place, key_first: bool, with_flag: bool) -> None:
    model = tiny_onnx()
    point(place(model), key_first=key_first, with_flag=with_flag)

    assert has_external_data(model.SerializeToString())


def test_entries_whose_value_is_before_the_key_are_found() -> None:
    entry = b"\x12\x01w\x0a\x08location"
    tensor = b"\x6a" + bytes([len(entry)]) + entry
    graph = b"\x2a" + bytes([len(tensor)]) + tensor

    assert has_external_data(b"\x3a" + bytes([len(graph)]) + graph)


def named_location() -> onnx.ModelProto:
    model = tiny_onnx()
    model.graph.node[0].output[0] = model.graph.node[1].input[0] = "location"
    model.graph.value_info.append(
        helper.make_tensor_value_info("location", TensorProto.FLOAT, [1, 12])
    )
    return model


def text_location() -> onnx.ModelProto:
    """Return a model with the bytes of an external tensor in its metadata and raw values."""
    model, inner = tiny_onnx(), TensorProto()
    point(inner)
    model.graph.initializer.add(raw_data=inner.SerializeToString())
    model.metadata_props.add(key="location", value="weights.bin")
    return model


@pytest.mark.parametrize("model", [tiny_onnx(), named_location(), text_location()])
def test_whole_models_pass(model: onnx.ModelProto) -> None:
    assert not has_external_data(model.SerializeToString())


@pytest.mark.parametrize(
    "content",
    [b"location", b"\x3a\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xfflocation", b"\x3a\x7flocation"],
)
def test_other_content_is_refused(content: bytes) -> None:
    with pytest.raises(ValueError, match=r"wire type|truncated"):
        has_external_data(content)
