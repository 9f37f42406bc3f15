"""Guess how pictures are preprocessed, from input shapes, names and the output format."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from inference.manifest import DTYPES
from scripts.models.errors import ToolError
from scripts.models.findings import Finding
from scripts.models.graph import Graph, Port, metadata_value
from scripts.models.graph_pixels import UNIT

CHANNELS = 3
DEFAULT_SIDES = {"detection": 640, "classification": 224}
"""Defaults of YOLO and ImageNet, if neither the graph nor its metadata have a size."""
IMAGENET_MEAN = [0.485, 0.456, 0.406]
IMAGENET_STD = [0.229, 0.224, 0.225]
"""Mean and deviation for RGB in 0..1, as in torchvision, timm and PaddlePaddle."""
CAFFE_MEAN = [104, 117, 123]
"""Mean for BGR in 0..255, as in Caffe's reference models."""
CAFFE_EXACT_MEAN = [103.53, 116.28, 123.675]
CAFFE_STD = [57.375, 57.12, 58.395]
"""ImageNet's mean and deviation for BGR in 0..255, as in mmdetection and NanoDet."""
PIXEL_SCALE = 1 / 255
NORMALISATION = ("scale", "mean", "std")
PIXEL_RANGES: dict[str, dict[str, Any]] = {
    "NominalRange_0_255": {},
    "Normalized_0_1": {"scale": PIXEL_SCALE},
    "Normalized_1_1": {"scale": 1 / 127.5, "mean": [1, 1, 1]},
}
"""Values of `Image.NominalPixelRange`."""
INT8_ZERO = 128
"""Offset that TensorFlow Lite subtracts from pixels for an int8 input."""


_LETTERBOX = {"resize": "letterbox", "pad_value": 114}
_IMAGENET = {"scale": PIXEL_SCALE, "mean": IMAGENET_MEAN, "std": IMAGENET_STD}
FAMILIES: dict[str, tuple[str, str, dict[str, Any]]] = {
    "yolox": (
        "YOLOX's demo: BGR of 0..255, top left, over gray",
        "BGR",
        {**_LETTERBOX, "anchor": "top-left"},
    ),
    "ultralytics": (
        "YOLO: RGB of 0..1, centred, over gray", "RGB", {**_LETTERBOX, "scale": PIXEL_SCALE},
    ),
    "efficientnms": (
        "YOLO: RGB of 0..1, centred, over gray", "RGB", {**_LETTERBOX, "scale": PIXEL_SCALE},
    ),
    "yolonas": (
        "YOLO-NAS: RGB of 0..1, centred, over gray",
        "RGB",
        {**_LETTERBOX, "scale": PIXEL_SCALE},
    ),
    "corner": (
        "LibreYOLO: RGB of 0..1, top left, over gray",
        "RGB",
        {**_LETTERBOX, "anchor": "top-left", "scale": PIXEL_SCALE},
    ),
    "boxes": (
        "RT-DETR, D-FINE and torchvision: RGB of 0..1", "RGB", {"scale": PIXEL_SCALE},
    ),
    "rtdetr": ("RT-DETR and D-FINE: RGB of 0..1", "RGB", {"scale": PIXEL_SCALE}),
    "detr": ("DETR: ImageNet's mean and standard deviation", "RGB", _IMAGENET),
    "rfdetr": ("RF-DETR: ImageNet's mean and standard deviation", "RGB", _IMAGENET),
    "mmdetection": (
        "mmdetection: BGR with ImageNet's mean and deviation, top left, over gray",
        "BGR",
        {
            **_LETTERBOX, "anchor": "top-left",
            "mean": CAFFE_EXACT_MEAN, "std": CAFFE_STD,
        },
    ),
    "nanodet": (
        "NanoDet: BGR with ImageNet's mean and deviation",
        "BGR",
        {"mean": CAFFE_EXACT_MEAN, "std": CAFFE_STD},
    ),
    "ssd300": (
        "SSD: RGB of 0..255 minus ImageNet's mean", "RGB", {"mean": CAFFE_MEAN[::-1]},
    ),
    "azure": ("Azure Custom Vision: BGR of 0..255", "BGR", {}),
    "ultraface": (
        "UltraFace: RGB of -1..1", "RGB", {"mean": [127, 127, 127], "std": [128, 128, 128]},
    ),
}  # fmt: skip
"""By family: reason, colour order, and other fields of `input`."""
LIBREYOLO = {
    "yolox": "yolox", "rtmdet": "mmdetection", "rfdetr": "rfdetr", "ssd": "ssd300",
    "yolonas": "yolonas",
    **dict.fromkeys(("yolo2", "yolo3", "yolo4", "yolo7", "yolo9", "yolo9_e2e"), "corner"),
    **dict.fromkeys(("dfine", "deim", "rtdetr", "rtdetrv2", "rtdetrv4"), "rtdetr"),
    **dict.fromkeys(
        ("picodet", "ppyoloe", "detr", "lwdetr", "deformable_detr", "dinodetr"), "detr"
    ),
}  # fmt: skip
"""`model_family` in the metadata of LibreYOLO's exports -> family of its preprocessing."""


@dataclass(frozen=True, slots=True)
class Picture:
    """The input for pictures.

    Attributes:
        port: The input.
        layout: `NCHW` or `NHWC`.
        size_wh: Width and height; None if they are dynamic.
    """

    port: Port
    layout: str
    size_wh: tuple[int, int] | None


def find_picture(graph: Graph) -> Picture:
    """Return the input for pictures.

    Raises:
        ToolError: No input accepts pictures.
    """
    four = [port for port in graph.inputs if len(port.shape) == 4]
    if not four:
        shapes = "; ".join(str(port) for port in graph.inputs) or "none"
        needed = "Export a model of pictures: [batch, 3, height, width]"
        if any(len(port.shape) == CHANNELS for port in graph.inputs):
            needed = "Export a model with a batch axis: wrap one that takes a list of pictures"
        raise ToolError(f"no input with four axes accepts a batch of pictures: {shapes}. {needed}")
    colours = [each for each in four if CHANNELS in (each.shape[1], each.shape[3])]
    port = (colours or four)[0]
    if port.dtype not in DTYPES:
        raise ToolError(f"input {port.name} is {port.dtype}; supported: {', '.join(DTYPES)}")
    first, last = port.shape[1], port.shape[3]
    if CHANNELS not in (first, last) and not (first is None and last is None):
        raise ToolError(
            f"input {port.name} has no axis of 3 colours: {port}. "
            "Train and export it for RGB pictures"
        )
    layout = "NHWC" if last == CHANNELS and first != CHANNELS else "NCHW"
    height, width = port.shape[1:3] if layout == "NHWC" else port.shape[2:4]
    return Picture(port, layout, (width, height) if width and height else None)


def fixed_findings(graph: Graph, picture: Picture, size_wh: tuple[int, int]) -> list[Finding]:
    """Return the fields of `input` that the graph determines."""
    port = picture.port
    axis = "second" if picture.layout == "NCHW" else "last"
    if picture.size_wh:
        why = "the input's shape"
    elif metadata_size(graph):
        why = "the metadata"
    else:
        why = "a common size; the graph accepts any, so check its training size"
    findings = [
        Finding("input.name", port.name, "the input with four axes"),
        Finding("input.layout", picture.layout, f"its {axis} axis has the colours"),
        Finding("input.width", size_wh[0], why),
        Finding("input.height", size_wh[1], why),
        Finding("input.dtype", port.dtype, "its type"),
    ]
    if port.shape[0] is None:
        findings.append(Finding("input.batch", True, "its first axis is dynamic"))
    elif port.shape[0] != 1:
        reason = f"each run takes {port.shape[0]} pictures; export with a batch of 1 to save time"
        findings.append(Finding("input.batch", False, reason))
    return findings


def metadata_size(graph: Graph) -> tuple[int, int] | None:
    """Return width and height of `imgsz` [height, width], or of the preprocessor's `size`."""
    size = metadata_value(graph, "imgsz")
    if isinstance(size, list) and len(size) == 2 and all(isinstance(side, int) for side in size):
        return size[1], size[0]
    side = graph.preprocessor.get("size")
    if isinstance(side, dict) and all(
        isinstance(side.get(key), int) for key in ("width", "height")
    ):
        return int(side["width"]), int(side["height"])
    return None


def preparation(graph: Graph, picture: Picture, family: str) -> list[Finding]:
    """Return colours, resize and normalisation.

    `preprocessor_config.json` next to the model counts first, then the usual way of the format's
    exporters.
    """
    if stated := _stated(graph):
        return stated
    if picture.port.dtype == "uint8":
        return _findings("uint8 input: the graph normalises", "RGB", "stretch")
    if picture.port.dtype == "int8":
        return _findings("int8 input: pixels minus 128", "RGB", mean=[INT8_ZERO] * 3)
    if graph.preprocessor:
        return _configured(graph.preprocessor)
    findings = _usual(graph, picture, family)
    expected = graph.ranges.get(picture.port.name)
    if expected is None:
        return findings
    reason = f"the graph itself normalises pixels of {expected}"
    fields = [each for each in findings if each.field.partition(".")[2] not in NORMALISATION]
    scale = PIXEL_SCALE if expected == UNIT else 1.0
    return [*fields, Finding("input.scale", scale, reason)]


def _stated(graph: Graph) -> list[Finding]:
    """Return what ONNX's own metadata for pictures says, as Azure Custom Vision writes it.

    https://github.com/onnx/onnx/blob/main/docs/MetadataProps.md
    """
    pixels = str(metadata_value(graph, "Image.BitmapPixelFormat") or "")
    values = str(metadata_value(graph, "Image.NominalPixelRange") or "")
    if pixels[:3].upper() not in ("RGB", "BGR") or values not in PIXEL_RANGES:
        return []
    reason = f"the metadata: {pixels}, {values}"
    return _findings(reason, pixels[:3].upper(), **PIXEL_RANGES[values])


def _usual(graph: Graph, picture: Picture, family: str) -> list[Finding]:
    """Return the usual preparation of the format's exporters."""
    if metadata_value(graph, "libreyolo_version") is not None:
        is_centred = metadata_value(graph, "letterbox_pad") == "center"
        known = LIBREYOLO.get(str(metadata_value(graph, "model_family")), family)
        family = "ultralytics" if known == "corner" and is_centred else known
    if metadata_value(graph, "author") == "Ultralytics" and family in FAMILIES:
        family = "rtdetr" if family == "rtdetr" else "ultralytics"
    if family == "classes" and metadata_value(graph, "author") == "Ultralytics":
        return _findings("Ultralytics: RGB of 0..1", "RGB", scale=PIXEL_SCALE)
    if family in FAMILIES:
        reason, color, fields = FAMILIES[family]
        return _findings(reason, color, **fields)
    if graph.producer == "onnx-caffe2":
        return _findings("a Caffe model: BGR minus the mean of ImageNet", "BGR", mean=CAFFE_MEAN)
    if picture.layout == "NHWC":
        reason = "TensorFlow: RGB of -1..1"
        return _findings(reason, "RGB", scale=1 / 127.5, mean=[1, 1, 1])
    reason = "ImageNet's mean and standard deviation, as in torchvision and PaddlePaddle"
    return _findings(reason, "RGB", scale=PIXEL_SCALE, mean=IMAGENET_MEAN, std=IMAGENET_STD)


def _configured(values: Mapping[str, Any]) -> list[Finding]:
    """Return the fields of a `preprocessor_config.json` of HuggingFace's transformers."""
    reason = "preprocessor_config.json"
    fields: dict[str, Any] = {}
    if values.get("do_rescale", True):
        fields["scale"] = values.get("rescale_factor", PIXEL_SCALE)
    if values.get("do_normalize", True) and values.get("image_mean"):
        fields |= {"mean": values["image_mean"], "std": values.get("image_std", [1, 1, 1])}
    return _findings(reason, "RGB", **fields)


def _findings(reason: str, color: str, resize: str = "stretch", **fields: object) -> list[Finding]:
    values = {"color": color, "resize": resize, **fields}
    return [Finding(f"input.{name}", value, reason) for name, value in values.items()]
