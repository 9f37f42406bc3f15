"""Exports of torchvision and timm with `torch.onnx.export`."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

from tests.models.exports.recipe import SIDE, Recipe, export

TIMM = {
    "timm_mnv3": ("mobilenetv3_small_050", 6, 224),
    "timm_effb0": ("efficientnet_b0", 10, 224),
    "timm_vit": ("vit_tiny_patch16_224", 3, 224),
    "timm_convnext": ("convnext_atto", 7, 288),
}
ENDS: dict[str, tuple[str, tuple[int, ...]]] = {
    "softmax": ("Softmax", (1,)),
    "sigmoid": ("Sigmoid", ()),
    "logsoftmax": ("LogSoftmax", (1,)),
}
NO_WEIGHTS = {"weights": None, "weights_backbone": None}


def timm(model: str, classes: int, side: int, file: Path) -> None:
    export(import_module("timm").create_model(model, num_classes=classes), file, side=side)


def timm_as(kind: str, file: Path) -> None:
    torch = import_module("torch")
    dtype = getattr(torch, kind)
    model = import_module("timm").create_model("mobilenetv3_small_050", num_classes=6)
    torch.onnx.export(
        model.eval().to(dtype), torch.rand(1, 3, 224, 224, dtype=dtype), file, dynamo=False
    )


def classifier(model: str, classes: int, file: Path, **options: Any) -> None:
    network = getattr(import_module("torchvision").models, model)(num_classes=classes)
    export(network, file, side=224, **options)


def with_end(layer: str, arguments: tuple[int, ...], file: Path) -> None:
    nn, models = import_module("torch").nn, import_module("torchvision").models
    network = models.squeezenet1_1(num_classes=4)
    export(nn.Sequential(network, getattr(nn, layer)(*arguments)), file, side=224)


def detector(model: str, classes: int, file: Path, *, batch: bool = True) -> None:
    """Export a detector of a batch of one, or as it is: for a list of pictures."""
    torch, detection = import_module("torch"), import_module("torchvision").models.detection
    # Pictures are resized and normalised before the export, as docs/models.md shows.
    network = getattr(detection, model)(**NO_WEIGHTS, num_classes=classes)
    nn = torch.nn
    for layer in network.head.classification_head.modules():
        if isinstance(layer, nn.Conv2d) and len(layer.weight) % classes == 0:
            nn.init.normal_(layer.weight, 0, 0.5)
            nn.init.normal_(layer.bias, -1, 1)
    network.score_thresh = 0.05
    network.requires_grad_(False)
    network.eval()

    class One(torch.nn.Module):  # type: ignore[name-defined,misc]
        def forward(self, images: Any) -> tuple[Any, Any, Any]:
            [found] = network([images[0]])
            return found["boxes"], found["scores"], found["labels"]

    wrapped, picture = (One(), torch.rand(1, 3, SIDE, SIDE))
    if not batch:
        wrapped, picture = network, [torch.rand(3, SIDE, SIDE)]
    with torch.no_grad():
        torch.onnx.export(
            wrapped.eval(), (picture,), file, input_names=["images"],
            output_names=["boxes", "scores", "labels"], opset_version=17, dynamo=False,
        )  # fmt: skip


def dynamo(file: Path) -> None:
    """Export with PyTorch's newer exporter, which keeps weights in another file."""
    torch, models = import_module("torch"), import_module("torchvision").models
    network = models.squeezenet1_1(num_classes=4).eval()
    torch.onnx.export(network, (torch.rand(1, 3, 224, 224),), file, dynamo=True)


def _vision(options: str, write: Callable[[Path], object]) -> Recipe:
    return Recipe("torchvision", options, write)


RECIPES = {
    **{
        name: Recipe("timm", f"{model}, {classes} classes", partial(timm, model, classes, side))
        for name, (model, classes, side) in TIMM.items()
    },
    "timm_double": Recipe("timm", "mobilenetv3_small_050, float64", partial(timm_as, "float64")),
    "timm_half": Recipe("timm", "mobilenetv3_small_050, float16", partial(timm_as, "float16")),
    "tv_resnet18": _vision("resnet18, 5 classes", partial(classifier, "resnet18", 5)),
    **{
        f"tv_{name}": _vision(f"squeezenet1_1, {layer}", partial(with_end, layer, arguments))
        for name, (layer, arguments) in ENDS.items()
    },
    "tv_dynamo": _vision("squeezenet1_1, dynamo=True", dynamo),
    "tv_ssdlite": _vision(
        "ssdlite320_mobilenet_v3_large", partial(detector, "ssdlite320_mobilenet_v3_large", 91)
    ),
    "tv_fcos": _vision("fcos_resnet50_fpn", partial(detector, "fcos_resnet50_fpn", 91)),
    "tv_list": _vision(
        "ssdlite320_mobilenet_v3_large, a list of pictures",
        partial(detector, "ssdlite320_mobilenet_v3_large", 91, batch=False),
    ),
}
