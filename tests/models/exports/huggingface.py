"""Exports of HuggingFace's transformers with `torch.onnx.export`."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

from tests.models.exports.recipe import SIDE, Recipe, spread

CLASSIFIERS: dict[str, tuple[str, int, dict[str, Any]]] = {
    "hf_vit": (
        "ViT", 5,
        {"hidden_size": 48, "num_hidden_layers": 2, "num_attention_heads": 4,
         "intermediate_size": 96},
    ),
    "hf_convnext": ("ConvNext", 7, {"hidden_sizes": [16, 32, 48, 64], "depths": [1, 1, 1, 1]}),
    "hf_swin": ("Swin", 6, {"embed_dim": 24, "depths": [1, 1, 1, 1], "num_heads": [2, 2, 4, 4]}),
}  # fmt: skip
SMALL_DETR = {
    "d_model": 32, "encoder_layers": 1, "decoder_layers": 1, "encoder_ffn_dim": 32,
    "decoder_ffn_dim": 32, "encoder_attention_heads": 2, "decoder_attention_heads": 2,
}  # fmt: skip
OWN_BACKBONE = {"use_timm_backbone": False, "use_pretrained_backbone": False, "backbone": None}
SMALL_RTDETR = {
    "d_model": 32, "encoder_hidden_dim": 32, "encoder_in_channels": [32, 48, 64],
    "feat_strides": [8, 16, 32], "encoder_ffn_dim": 32, "encoder_attention_heads": 2,
    "decoder_in_channels": [32, 32, 32], "decoder_ffn_dim": 32, "decoder_attention_heads": 2,
    "decoder_layers": 2, "num_queries": 100, "freeze_backbone_batch_norms": False,
    "use_pretrained_backbone": False, "backbone": None, "eval_size": None,
}  # fmt: skip
DETECTORS: dict[str, tuple[str, int, int, dict[str, Any]]] = {
    "hf_detr": ("Detr", 50, 91, {**SMALL_DETR, **OWN_BACKBONE}),
    "hf_tabletr": ("TableTransformer", 125, 6, {**SMALL_DETR, **OWN_BACKBONE}),
    "hf_conditional": ("ConditionalDetr", 50, 91, {**SMALL_DETR, **OWN_BACKBONE}),
    "hf_rtdetr": ("RTDetr", 100, 80, SMALL_RTDETR),
    "hf_rtdetrv2": ("RTDetrV2", 100, 80, SMALL_RTDETR),
    "hf_dfine": ("DFine", 100, 80, {**SMALL_RTDETR, "hidden_expansion": 1.0}),
}
"""Class, queries, classes, options."""


def _detections(forward: Callable[..., Any]) -> Callable[..., tuple[Any, Any]]:
    def run(pixel_values: object) -> tuple[Any, Any]:
        found = forward(pixel_values=pixel_values)
        return found.logits, found.pred_boxes

    return run


def _logits(forward: Callable[..., Any]) -> Callable[..., Any]:
    return lambda pixel_values: forward(pixel_values=pixel_values).logits


def detector(kind: str, count: int, classes: int, options: dict[str, Any], file: Path) -> None:
    torch, package = import_module("torch"), import_module("transformers")
    stages = ["stage4"] if "feat_strides" not in options else ["stage2", "stage3", "stage4"]
    backbone = package.ResNetConfig(
        embedding_sizes=16, hidden_sizes=[16, 32, 48, 64], depths=[1, 1, 1, 1],
        layer_type="basic", out_features=stages,
    )  # fmt: skip
    config = getattr(package, f"{kind}Config")(
        **{**options, "num_queries": count, "num_labels": classes, "backbone_config": backbone}
    )
    network = getattr(package, f"{kind}ForObjectDetection")(config).eval()
    spread(network, classes)
    spread(network, classes + 1)
    for name, layer in network.named_modules():
        if name.endswith("query_position_embeddings"):
            layer.weight.data.normal_(0, 3)
    network.forward = _detections(network.forward)
    axes = {"pixel_values": {0: "batch", 2: "height", 3: "width"}}
    with torch.no_grad():
        torch.onnx.export(
            network, torch.rand(1, 3, SIDE, SIDE), file, input_names=["pixel_values"],
            output_names=["logits", "pred_boxes"], opset_version=17, dynamo=False,
            dynamic_axes=None if "feat_strides" in options else axes,
        )  # fmt: skip


def classifier(kind: str, classes: int, options: dict[str, Any], file: Path) -> None:
    torch, package = import_module("torch"), import_module("transformers")
    config = getattr(package, f"{kind}Config")(num_labels=classes, **options)
    network = getattr(package, f"{kind}ForImageClassification")(config).eval()
    network.forward = _logits(network.forward)
    torch.onnx.export(
        network, torch.rand(1, 3, 224, 224), file, input_names=["pixel_values"],
        output_names=["logits"], opset_version=17, dynamo=False,
        dynamic_axes={"pixel_values": {0: "batch"}, "logits": {0: "batch"}},
    )  # fmt: skip


RECIPES = {
    **{
        name: Recipe(
            "transformers", f"{kind}ForObjectDetection, {classes} classes",
            partial(detector, kind, count, classes, options),
        )
        for name, (kind, count, classes, options) in DETECTORS.items()
    },
    **{
        name: Recipe(
            "transformers", f"{kind}ForImageClassification, {classes} classes",
            partial(classifier, kind, classes, options),
        )
        for name, (kind, classes, options) in CLASSIFIERS.items()
    },
}  # fmt: skip
