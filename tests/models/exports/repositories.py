"""Exports of detectors with the code of their own repositories, as packaged on PyPI.

Packages: yolov5, yolov6detect, yolov7detect, yolox, rfdetr and super-gradients (YOLO-NAS).
"""

from __future__ import annotations

from functools import partial
from importlib import import_module
from pathlib import Path
from shutil import move
from typing import Any

from tests.models.exports.recipe import SIDE, Recipe, export

CLASSES = 80
ANCHORS = [[12, 16, 19, 36, 40, 28], [36, 75, 76, 55, 72, 146], [142, 110, 192, 243, 459, 401]]
V7_SMALL: dict[str, Any] = {
    "nc": CLASSES, "depth_multiple": 1, "width_multiple": 1, "anchors": ANCHORS,
    "backbone": [
        [-1, 1, "Conv", [16, 3, 2]], [-1, 1, "Conv", [32, 3, 2]], [-1, 1, "Conv", [32, 3, 2]],
        [-1, 1, "Conv", [64, 3, 2]], [-1, 1, "Conv", [64, 3, 2]],
    ],
    "head": [[[2, 3, 4], 1, "IDetect", ["nc", "anchors"]]],
}  # fmt: skip
"""A few layers with YOLOv7's head, in the syntax of its configurations."""


def _root(package: str) -> Path:
    return Path(str(import_module(package).__file__)).parent


def _spread_rows(head: Any, columns: int) -> None:
    """Give convolutions of several anchors per cell other weights, and a likely objectness."""
    head.requires_grad_(False)
    for layer in head.m:
        layer.weight.data.normal_(0, 0.3)
        bias = layer.bias.data.view(-1, columns)
        bias.normal_(0, 1)
        bias[:, 4] += 1


def yolov5(model: str, file: Path) -> None:
    network = import_module("yolov5.models.yolo").DetectionModel(_root("yolov5") / model)
    network.eval()
    head = network.model[-1]
    _spread_rows(head, CLASSES + 5)
    head.export = True
    export(network, file, ("output0",), opset_version=12)


def yolov6(file: Path) -> None:
    config = import_module("yolov6.utils.config").Config
    settings = config.fromfile(str(_root("yolov6") / "configs" / "yolov6n.py"))
    settings.training_mode = "repvgg"
    network = import_module("yolov6.models.yolo").build_model(settings, CLASSES, "cpu").eval()
    for layer in network.detect.cls_preds:
        layer.weight.data.normal_(0, 0.1)
        layer.bias.data.normal_(-1, 1.5)
    for layer in network.detect.reg_preds:
        layer.bias.data.uniform_(0.5, 2)
    export(network, file, ("outputs",), opset_version=13)


def yolov7(end: str, file: Path) -> None:
    network = import_module("yolov7.models.yolo").Model(V7_SMALL, nc=CLASSES)
    _spread_rows(network.model[-1], CLASSES + 5)
    network.requires_grad_(False)
    network = network.eval().fuse()
    head = network.model[-1]
    names: tuple[str, ...] = ("output",)
    if end == "grid":
        head.concat = True
    if end == "heads":
        head.export = True
        names = ("output", "s16", "s32")
    if end == "end2end":
        extra = import_module("yolov7.models.experimental").End2End
        network = extra(network, max_wh=SIDE, n_classes=CLASSES).eval()
    export(network, file, names, opset_version=12)


def yolox(file: Path, *, decoded: bool) -> None:
    models = import_module("yolox.models")
    network = models.YOLOX(
        models.YOLOPAFPN(0.33, 0.25, depthwise=True),
        models.YOLOXHead(CLASSES, 0.25, depthwise=True),
    ).eval()
    # Features of an untrained network are alike everywhere.
    for layer in network.head.cls_preds:
        layer.weight.data.normal_(0, 3)
        layer.bias.data.normal_(-1, 1)
    for layer in network.head.obj_preds:
        layer.weight.data.normal_(0, 3)
        layer.bias.data.fill_(1)
    for layer in network.head.reg_preds:
        layer.weight.data.normal_(0, 0.1)
        layer.bias.data.uniform_(0, 1)
    network.head.decode_in_inference = decoded
    export(network, file, opset_version=11)


def rfdetr(file: Path) -> None:
    model = import_module("rfdetr").RFDETRNano(pretrain_weights=None, device="cpu")
    network = model.model.model
    network.class_embed.weight.data.normal_(0, 0.15)
    network.class_embed.bias.data.normal_(-2, 1)
    move(model.export(output_dir="rfdetr", verbose=False), file)


def yolonas(end: str, file: Path) -> None:
    network = import_module("super_gradients.training.models").get(
        "yolo_nas_s", num_classes=CLASSES
    )
    network.eval()
    for head in (network.heads.head1, network.heads.head2, network.heads.head3):
        head.cls_pred.weight.data.normal_(0, 0.1)
        head.cls_pred.bias.data.normal_(-1, 1)
    if end == "raw":
        network.prep_model_for_conversion(input_size=[1, 3, SIDE, SIDE])
        torch = import_module("torch")
        torch.onnx.export(
            network, torch.rand(1, 3, SIDE, SIDE), file, opset_version=14, dynamo=False
        )
        return
    # This version of the package relies on the exporter that was the default in its time.
    onnx = import_module("torch").onnx
    default = onnx.export
    onnx.export = partial(default, dynamo=False)
    network.export(
        str(file), preprocessing=False, input_image_shape=(SIDE, SIDE),
        output_predictions_format=end, confidence_threshold=0.05,
    )  # fmt: skip
    onnx.export = default


RECIPES = {
    "rp_yolov5": Recipe("yolov5", "yolov5n", partial(yolov5, "models/yolov5n.yaml")),
    "rp_yolov5_p6": Recipe("yolov5", "yolov5n6", partial(yolov5, "models/hub/yolov5n6.yaml")),
    "rp_yolov6": Recipe("yolov6detect", "yolov6n", yolov6),
    "rp_yolov7_grid": Recipe("yolov7detect", "small, --grid", partial(yolov7, "grid")),
    "rp_yolov7_e2e": Recipe(
        "yolov7detect", f"small, --grid --end2end --max-wh {SIDE}", partial(yolov7, "end2end")
    ),
    "rp_yolov7_heads": Recipe("yolov7detect", "small, without --grid", partial(yolov7, "heads")),
    "rp_yolox": Recipe("yolox", "yolox-nano", partial(yolox, decoded=False)),
    "rp_yolox_decoded": Recipe(
        "yolox", "yolox-nano, --decode_in_inference", partial(yolox, decoded=True)
    ),
    "rp_rfdetr": Recipe("rfdetr", "RFDETRNano", rfdetr),
    "rp_yolonas": Recipe(
        "super-gradients", "yolo_nas_s, torch.onnx.export", partial(yolonas, "raw")
    ),
    "rp_yolonas_batch": Recipe(
        "super-gradients", "yolo_nas_s, format batch", partial(yolonas, "batch")
    ),
    "rp_yolonas_flat": Recipe(
        "super-gradients", "yolo_nas_s, format flat", partial(yolonas, "flat")
    ),
}
