"""Input shapes, names and the output format -> how pictures most likely go in."""

from __future__ import annotations

from dataclasses import dataclass

from scripts.models.findings import Finding
from scripts.models.graph import Graph, Port, metadata_value

PICTURE_DTYPES = ("float32", "float16", "uint8")
CHANNELS = 3
DEFAULT_SIDES = {"detection": 640, "classification": 224}
"""Where neither the graph nor its metadata tell: YOLO's and ImageNet's."""
IMAGENET_MEAN = [0.485, 0.456, 0.406]
IMAGENET_STD = [0.229, 0.224, 0.225]
"""Of RGB in 0..1, as torchvision, timm and PaddlePaddle use them."""
CAFFE_MEAN = [104, 117, 123]
"""Of BGR in 0..255, as Caffe's reference models use it."""
PIXEL_SCALE = 1 / 255


@dataclass(frozen=True, slots=True)
class Picture:
    """The input that pictures go into.

    Attributes:
        port: It.
        layout: `NCHW` or `NHWC`.
        size_wh: Width and height; None: they may vary.
    """

    port: Port
    layout: str
    size_wh: tuple[int, int] | None


def find_picture(graph: Graph) -> Picture | str:
    """The input that takes pictures, or why there is none."""
    four = [port for port in graph.inputs if len(port.shape) == 4]
    if not four:
        shapes = "; ".join(str(port) for port in graph.inputs) or "none"
        if any(len(port.shape) == CHANNELS for port in graph.inputs):
            shapes += ". Export a model that takes a batch: wrap one that takes a list of pictures"
        return f"no input takes a batch of pictures with four axes; there are {shapes}"
    port = four[0]
    if port.dtype not in PICTURE_DTYPES:
        return f"input {port.name} is {port.dtype}, only {', '.join(PICTURE_DTYPES)} are filled"
    if port.shape[0] not in (1, None):
        return (
            f"input {port.name} takes {port.shape[0]} pictures and no other number: "
            "export it with a batch of 1, or with a batch that may vary"
        )
    first, last = port.shape[1], port.shape[3]
    if CHANNELS not in (first, last) and not (first is None and last is None):
        return f"input {port.name} has no axis of 3 colours: {port}"
    layout = "NHWC" if last == CHANNELS and first != CHANNELS else "NCHW"
    height, width = port.shape[1:3] if layout == "NHWC" else port.shape[2:4]
    return Picture(port, layout, (width, height) if width and height else None)


def fixed_findings(graph: Graph, picture: Picture, size_wh: tuple[int, int]) -> list[Finding]:
    """The fields of `input` that the graph itself says."""
    port = picture.port
    axis = "second" if picture.layout == "NCHW" else "last"
    if picture.size_wh:
        why = "the input's shape"
    elif metadata_size(graph):
        why = "imgsz of the file's metadata"
    else:
        why = "a usual size: the graph takes any, so check the one it was trained with"
    findings = [
        Finding("input.name", port.name, "the input with four axes"),
        Finding("input.layout", picture.layout, f"its {axis} axis is the colours"),
        Finding("input.width", size_wh[0], why),
        Finding("input.height", size_wh[1], why),
        Finding("input.dtype", port.dtype, "its type"),
    ]
    if port.shape[0] is None:
        findings.append(Finding("input.batch", True, "its first axis may vary"))
    return findings


def metadata_size(graph: Graph) -> tuple[int, int] | None:
    """Width and height that Ultralytics writes as `imgsz`: [height, width]."""
    size = metadata_value(graph, "imgsz")
    if isinstance(size, list) and len(size) == 2 and all(isinstance(side, int) for side in size):
        return size[1], size[0]
    return None


def preparation(graph: Graph, picture: Picture, output_format: str) -> list[Finding]:
    """Colours, resize and normalisation that go with a format, as its exporter has them."""
    if picture.port.dtype == "uint8":
        return _findings("bytes go in as they are, so the graph normalises", "RGB", "stretch")
    if output_format == "yolox":
        reason = "YOLOX's demo: BGR of 0..255, top left, over gray"
        return _findings(reason, "BGR", "letterbox", anchor="top-left", pad_value=114)
    is_ultralytics = metadata_value(graph, "author") == "Ultralytics"
    if output_format == "classes" and is_ultralytics:
        return _findings("Ultralytics: RGB of 0..1", "RGB", scale=PIXEL_SCALE)
    if output_format in ("yolov5", "yolov8") or is_ultralytics:
        reason = "Ultralytics: RGB of 0..1, centred, over gray"
        return _findings(reason, "RGB", "letterbox", pad_value=114, scale=PIXEL_SCALE)
    if output_format == "rows" and len(graph.outputs) == 1:
        reason = "YOLO: RGB of 0..1, centred, over gray"
        return _findings(reason, "RGB", "letterbox", pad_value=114, scale=PIXEL_SCALE)
    if output_format == "boxes":
        return _findings("RT-DETR, D-FINE and torchvision: RGB of 0..1", "RGB", scale=PIXEL_SCALE)
    if output_format == "detr-sigmoid":
        return _findings("RT-DETR and D-FINE: RGB of 0..1", "RGB", scale=PIXEL_SCALE)
    if graph.producer == "onnx-caffe2":
        return _findings("a Caffe model: BGR less the mean of ImageNet", "BGR", mean=CAFFE_MEAN)
    if picture.layout == "NHWC":
        reason = "TensorFlow: RGB of -1..1"
        return _findings(reason, "RGB", scale=1 / 127.5, mean=[1, 1, 1])
    reason = "ImageNet's mean and deviation, as torchvision and PaddlePaddle use them"
    return _findings(reason, "RGB", scale=PIXEL_SCALE, mean=IMAGENET_MEAN, std=IMAGENET_STD)


def constants(graph: Graph, picture: Port, size_wh: tuple[int, int]) -> list[Finding] | str:
    """What the other inputs get, or why that is not known."""
    width, height = size_wh
    known: dict[str, tuple[object, str]] = {
        "orig_target_sizes": ([[width, height]], "boxes then come in pixels of the input"),
        "im_shape": ([[height, width]], "PaddleDetection: the input's height and width"),
        "scale_factor": ([[1, 1]], "PaddleDetection: boxes then come in pixels of the input"),
        "pixel_mask": (1, "all of the input is picture"),
    }
    others = [port for port in graph.inputs if port.name != picture.name]
    if unknown := [str(port) for port in others if port.name not in known]:
        return (
            f"what to put into {'; '.join(unknown)} is not known. If it is the same for every "
            "picture, give it as --set 'input.constants={\"NAME\": VALUE}'"
        )
    if not others:
        return []
    values = {port.name: known[port.name][0] for port in others}
    return [Finding("input.constants", values, "; ".join(known[port.name][1] for port in others))]


def _findings(reason: str, color: str, resize: str = "stretch", **fields: object) -> list[Finding]:
    values = {"color": color, "resize": resize, **fields}
    return [Finding(f"input.{name}", value, reason) for name, value in values.items()]
