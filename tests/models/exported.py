"""Expected reading of each export of `exports.py`: how to decode it, or why it is refused."""

from __future__ import annotations

from dataclasses import dataclass

from tests.models.export_decodes import (
    Read,
    columns,
    finished,
    listed,
    queries,
    transformer_rows,
)


@dataclass(frozen=True)
class Detector:
    """A detector that is added without flags.

    Attributes:
        read: Independent decode of its outputs.
        labels: Labels to pass; empty if the file has them.
        boxed: Whether pictures are letterboxed.
        imagenet: Whether ImageNet's mean and deviation are used.
        side: Side of an input with dynamic axes.
    """

    read: Read
    labels: str = ""
    boxed: bool = True
    imagenet: bool = False
    side: int = 320


@dataclass(frozen=True)
class Classifier:
    """A classifier: its number of classes, and the activation that it needs."""

    classes: int
    activation: str


DETR = Detector(queries("logits", "pred_boxes", softmax=True), "coco91", boxed=False, imagenet=True)
RTDETR = queries("pred_logits", "pred_boxes", softmax=False)
EXPORTS: dict[str, Detector | Classifier | str] = {
    **dict.fromkeys(
        (
            "ul_yolov8n", "ul_yolov8n_dyn", "ul_yolov8n_b4", "ul_yolov8n_rect", "ul_yolov8n_op12",
            "ul_yolov8n_p2", "ul_yolov8n_p6", "ul_yolov5nu", "ul_yolov6n", "ul_yolov9t",
            "ul_yolov10n", "ul_yolo11n", "ul_yolo12n", "ul_yolo26n", "ul_yolov3tiny",
            "ul_yolo11n_seg", "ul_yolo11n_pose", "ul_yolo26n_seg", "ul_yolo26n_pose",
            "ul_yolo11n_half",
        ),
        Detector(columns()),
    ),
    **dict.fromkeys(
        (
            "ul_yolov8n_nms", "ul_yolov10n_e2e", "ul_yolo26n_e2e", "ul_yolo26n_seg_e2e",
            "ul_yolo26n_pose_e2e", "ul_yolo11n_seg_nms", "ul_yolo11n_pose_nms",
        ),
        Detector(finished),
    ),
    "ul_rtdetr": Detector(transformer_rows, boxed=False),
    "ul_yolo11n_obb": "oriented boxes",
    "ul_yolo11n_cls": Classifier(1000, "none"),
    "hf_detr": DETR,
    "hf_tabletr": Detector(DETR.read, "six", boxed=False, imagenet=True),
    "hf_conditional": Detector(
        queries("logits", "pred_boxes", softmax=False), "coco91", boxed=False, imagenet=True
    ),
    "lb_dfine": Detector(RTDETR, boxed=False),
    "lb_deim": Detector(RTDETR, boxed=False),
    "lb_rtdetrv2": Detector(RTDETR, boxed=False),
    "lb_detr": Detector(
        queries("pred_logits", "pred_boxes", softmax=True), "coco91", boxed=False, imagenet=True
    ),
    "lb_yolo9": Detector(columns()),
    "lb_yolo4": Detector(columns()),
    "tv_ssdlite": Detector(listed, "coco91", boxed=False),
    "tv_fcos": Detector(listed, "coco91", boxed=False),
    "tv_list": "no input with four axes",
    "tv_dynamo": "keeps its weights in other files",
    "timm_double": "export the model in float32",
    "tv_resnet18": Classifier(5, "softmax"),
    "tv_softmax": Classifier(4, "none"),
    "tv_sigmoid": Classifier(4, "none"),
    "tv_logsoftmax": Classifier(4, "softmax"),
    "timm_mnv3": Classifier(6, "softmax"),
    "timm_effb0": Classifier(10, "softmax"),
    "timm_vit": Classifier(3, "softmax"),
    "timm_convnext": Classifier(7, "softmax"),
    "timm_half": Classifier(6, "softmax"),
    "hf_vit": Classifier(5, "softmax"),
    "hf_convnext": Classifier(7, "softmax"),
    "hf_swin": Classifier(6, "softmax"),
}  # fmt: skip
