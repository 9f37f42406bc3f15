"""Write the exports that `test_exports.py` reads, with random weights.

    python tests/models/exports.py FOLDER

It needs an environment with ultralytics, torchvision, timm and transformers, and skips what is not
installed. The files of LibreYOLO, Keras and TensorFlow Lite in the table are written by the
exporters of those projects.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

SIDE = 320
ULTRALYTICS: dict[str, tuple[str, dict[str, Any]]] = {
    "ul_yolov8n": ("yolov8n", {}),
    "ul_yolov8n_nms": ("yolov8n", {"nms": True}),
    "ul_yolov8n_dyn": ("yolov8n", {"dynamic": True}),
    "ul_yolov8n_b4": ("yolov8n", {"batch": 4}),
    "ul_yolov8n_rect": ("yolov8n", {"imgsz": [256, 320]}),
    "ul_yolov8n_op12": ("yolov8n", {"opset": 12}),
    "ul_yolov8n_p2": ("yolov8n-p2", {}),
    "ul_yolov8n_p6": ("yolov8n-p6", {}),
    "ul_yolov5nu": ("yolov5n", {}),
    "ul_yolov6n": ("yolov6n", {}),
    "ul_yolov9t": ("yolov9t", {}),
    "ul_yolov10n": ("yolov10n", {}),
    "ul_yolov10n_e2e": ("yolov10n", {"nms": False}),
    "ul_yolo11n": ("yolo11n", {}),
    "ul_yolo11n_half": ("yolo11n", {"half": True}),
    "ul_yolo11n_seg": ("yolo11n-seg", {}),
    "ul_yolo11n_seg_nms": ("yolo11n-seg", {"nms": True}),
    "ul_yolo11n_pose": ("yolo11n-pose", {}),
    "ul_yolo11n_pose_nms": ("yolo11n-pose", {"nms": True}),
    "ul_yolo11n_obb": ("yolo11n-obb", {}),
    "ul_yolo11n_cls": ("yolo11n-cls", {}),
    "ul_yolo12n": ("yolo12n", {}),
    "ul_yolo26n": ("yolo26n", {}),
    "ul_yolo26n_e2e": ("yolo26n", {"nms": False}),
    "ul_yolo26n_seg": ("yolo26n-seg", {}),
    "ul_yolo26n_seg_e2e": ("yolo26n-seg", {"nms": False}),
    "ul_yolo26n_pose": ("yolo26n-pose", {}),
    "ul_yolo26n_pose_e2e": ("yolo26n-pose", {"nms": False}),
    "ul_yolov3tiny": ("yolov3-tiny", {}),
    "ul_rtdetr": ("rtdetr-l", {}),
}
TIMM = {
    "timm_mnv3": ("mobilenetv3_small_050", 6, 224),
    "timm_effb0": ("efficientnet_b0", 10, 224),
    "timm_vit": ("vit_tiny_patch16_224", 3, 224),
    "timm_convnext": ("convnext_atto", 7, 288),
}


def spread(model: Any, classes: int) -> None:
    """Give the last layers of the classes other weights, so that some boxes have a score."""
    for _, layer in model.named_modules():
        bias = getattr(layer, "bias", None)
        if bias is not None and layer.weight.shape[0] == classes:
            layer.weight.data.normal_(0, 0.15)
            bias.data.normal_(-1, 1)


def ultralytics(folder: Path) -> None:
    package = import_module("ultralytics")
    for name, (model, options) in ULTRALYTICS.items():
        network = (package.RTDETR if "rtdetr" in model else package.YOLO)(f"{model}.yaml")
        spread(network.model, network.model.yaml.get("nc", 80))
        written = network.export(format="onnx", **{"imgsz": SIDE, **options})
        shutil.move(written, folder / f"{name}.onnx")


def export(folder: Path, name: str, model: Any, side: int) -> None:
    torch = import_module("torch")
    torch.onnx.export(
        model.eval(), torch.rand(1, 3, side, side), folder / f"{name}.onnx",
        input_names=["images"], output_names=["output"], dynamo=False,
    )  # fmt: skip


def timm(folder: Path) -> None:
    package = import_module("timm")
    for name, (model, classes, side) in TIMM.items():
        export(folder, name, package.create_model(model, num_classes=classes), side)


def torchvision(folder: Path) -> None:
    nn, models = import_module("torch").nn, import_module("torchvision").models
    export(folder, "tv_resnet18", models.resnet18(weights=None, num_classes=5), 224)
    ends = {"softmax": nn.Softmax(1), "sigmoid": nn.Sigmoid(), "logsoftmax": nn.LogSoftmax(1)}
    for name, end in ends.items():
        network = models.squeezenet1_1(weights=None, num_classes=4)
        export(folder, f"tv_{name}", nn.Sequential(network, end), 224)


def _logits_and_boxes(forward: Callable[..., Any]) -> Callable[..., tuple[Any, Any]]:
    def run(pixel_values: object) -> tuple[Any, Any]:
        found = forward(pixel_values=pixel_values)
        return found.logits, found.pred_boxes

    return run


def transformers(folder: Path) -> None:
    torch, package = import_module("torch"), import_module("transformers")
    backbone = package.ResNetConfig(
        embedding_sizes=16, hidden_sizes=[16, 32, 48, 64], depths=[1, 1, 1, 1],
        layer_type="basic", out_features=["stage4"],
    )  # fmt: skip
    small = {
        "use_timm_backbone": False, "use_pretrained_backbone": False, "backbone": None,
        "backbone_config": backbone, "d_model": 32, "encoder_layers": 1, "decoder_layers": 1,
        "encoder_ffn_dim": 32, "decoder_ffn_dim": 32, "encoder_attention_heads": 2,
        "decoder_attention_heads": 2,
    }  # fmt: skip
    sizes = {"hf_detr": ("Detr", 50, 91), "hf_tabletr": ("TableTransformer", 125, 6)}
    for name, (kind, count, classes) in sizes.items():
        config = getattr(package, f"{kind}Config")(num_queries=count, num_labels=classes, **small)
        network = getattr(package, f"{kind}ForObjectDetection")(config).eval()
        spread(network, classes + 1)
        axes = {"pixel_values": {0: "batch", 2: "height", 3: "width"}}
        network.forward = _logits_and_boxes(network.forward)
        torch.onnx.export(
            network, torch.rand(1, 3, SIDE, SIDE), folder / f"{name}.onnx",
            input_names=["pixel_values"], output_names=["logits", "pred_boxes"],
            dynamic_axes=axes, opset_version=17, dynamo=False,
        )  # fmt: skip


FRAMEWORKS: tuple[Callable[[Path], None], ...] = (timm, torchvision, transformers, ultralytics)


def main(folder: Path) -> None:
    """Write the files of all frameworks that are installed."""
    folder.mkdir(parents=True, exist_ok=True)
    for write in FRAMEWORKS:
        try:
            write(folder)
        except ImportError as error:
            print(f"{write.__name__} is not installed: {error}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
