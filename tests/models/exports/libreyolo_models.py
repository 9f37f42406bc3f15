"""LibreYOLO's own export of its models."""

from __future__ import annotations

import shutil
from functools import partial
from importlib import import_module
from pathlib import Path

from tests.models.exports.recipe import SIDE, Recipe

MODELS: dict[str, tuple[str, str, int]] = {
    "lb_yolox": ("LibreYOLOX", "n", SIDE),
    "lb_yolo9": ("LibreYOLO9", "t", SIDE),
    "lb_yolo7": ("LibreYOLO7", "b", SIDE),
    "lb_yolo4": ("LibreYOLO4", "t", SIDE),
    "lb_yolo3": ("LibreYOLO3", "t", SIDE),
    "lb_yolo2": ("LibreYOLO2", "t", SIDE),
    "lb_yolonas": ("LibreYOLONAS", "s", SIDE),
    "lb_picodet": ("LibrePICODET", "s", SIDE),
    "lb_rtmdet": ("LibreRTMDet", "t", SIDE),
    "lb_ppyoloe": ("LibrePPYOLOE", "s", SIDE),
    "lb_ssd": ("LibreSSD", "300", 300),
    "lb_dfine": ("LibreDFINE", "n", 640),
    "lb_deim": ("LibreDEIM", "n", 640),
    "lb_rtdetrv2": ("LibreRTDETRv2", "r18", 640),
    "lb_lwdetr": ("LibreLWDETR", "t", 640),
    "lb_detr": ("LibreDETR", "r50", 800),
}


def write(kind: str, size: str, side: int, file: Path) -> None:
    family = getattr(import_module("libreyolo"), kind)
    # Families differ in what they accept as "no weights".
    try:
        model = family({}, size=size, device="cpu")
    except Exception:
        model = family(None, size=size, device="cpu")
    spread_last(model.model)
    shutil.move(model.export(format="onnx", imgsz=side, output_path=str(file)), file)


def spread_last(network: object) -> None:
    """Give layers with as many outputs as classes and anchors other weights."""
    nn = import_module("torch").nn
    for name, layer in network.named_modules():  # type: ignore[attr-defined]
        bias = getattr(layer, "bias", None)
        if not isinstance(layer, (nn.Conv2d, nn.Linear)) or bias is None:
            continue
        if len(bias) in (80, 81, 91, 92, 112, 255, 425, 84 * 4, 84 * 6, 81 * 4, 81 * 6):
            # A transformer's classes are less likely, as every query can have several.
            is_query = isinstance(layer, nn.Linear)
            layer.weight.data.normal_(0, 0.03 if is_query else 0.15)
            bias.data.normal_(-3 if is_query else -1, 1)
        elif "reg" in name or "bbox" in name:
            layer.weight.data.normal_(0, 0.05)
            bias.data.uniform_(0, 1)


RECIPES = {
    name: Recipe("libreyolo", f"{kind}, size {size}", partial(write, kind, size, side))
    for name, (kind, size, side) in MODELS.items()
}
