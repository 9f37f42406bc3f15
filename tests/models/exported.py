"""Expected reading of each export of `exports.py`: how to decode it, or why it is refused."""

from __future__ import annotations

from dataclasses import dataclass, replace

from tests.models.export_decodes import (
    Pixels,
    Read,
    batched,
    columns,
    dets,
    faces,
    finished,
    flat,
    listed,
    nanodet,
    objectness,
    queries,
    scored,
    transformer_rows,
    yolov7_rows,
    yolox_grid,
)

CENTER = Pixels()


@dataclass(frozen=True)
class Detector:
    """A detector that is added without flags.

    Attributes:
        read: Independent decode of its outputs.
        labels: Labels to pass; empty if the file has them.
        pixels: How pictures are prepared.
        side: Side of an input with dynamic axes.
    """

    read: Read
    labels: str = ""
    pixels: Pixels = CENTER
    side: int = 320


@dataclass(frozen=True)
class Classifier:
    """A classifier: its number of classes, and the activation that it needs."""

    classes: int
    activation: str


STRETCH = Pixels("stretch")
IMAGENET = Pixels("stretch", False, (123.675, 116.28, 103.53), (58.395, 57.12, 57.375))
BYTES_BGR = Pixels("corner", True, std=(1, 1, 1))
CAFFE = Pixels("corner", True, (103.53, 116.28, 123.675), (57.375, 57.12, 58.395))
DETR = Detector(queries("logits", "pred_boxes", softmax=True), "coco91", pixels=IMAGENET)
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
    "ul_rtdetr": Detector(transformer_rows, pixels=STRETCH),
    "ul_yolo11n_obb": "oriented boxes",
    "ul_yolo11n_cls": Classifier(1000, "none"),
    "hf_detr": DETR,
    "hf_tabletr": Detector(DETR.read, "six", pixels=IMAGENET),
    "hf_conditional": Detector(
        queries("logits", "pred_boxes", softmax=False), "coco91", pixels=IMAGENET
    ),
    **dict.fromkeys(
        ("hf_rtdetr", "hf_rtdetrv2", "hf_dfine"),
        Detector(queries("logits", "pred_boxes", softmax=False), pixels=STRETCH),
    ),
    **dict.fromkeys(
        ("rp_yolov5", "rp_yolov5_p6", "rp_yolov6", "rp_yolov7_grid"), Detector(objectness())
    ),
    "rp_yolov7_e2e": Detector(yolov7_rows),
    "rp_yolov7_heads": "raw grids",
    "rp_yolox": Detector(yolox_grid, pixels=BYTES_BGR),
    "rp_yolox_decoded": Detector(objectness(), pixels=BYTES_BGR),
    "rp_rfdetr": Detector(
        queries("labels", "dets", softmax=False), "coco91", pixels=IMAGENET, side=384
    ),
    "rp_yolonas": Detector(scored),
    "rp_yolonas_batch": Detector(batched),
    "rp_yolonas_flat": Detector(flat),
    "doc_ultraface": Detector(
        faces, "face", Pixels("stretch", False, (127, 127, 127), (128, 128, 128))
    ),
    "doc_mmdeploy": Detector(dets, pixels=CAFFE),
    "doc_nanodet": Detector(nanodet((8, 16, 32), 0.5), pixels=replace(CAFFE, fit="stretch")),
    "doc_nanodet_plus": Detector(
        nanodet((8, 16, 32, 64), 0), pixels=replace(CAFFE, fit="stretch")
    ),
    "doc_yolov10": Detector(finished),
    **dict.fromkeys(
        ("lb_dfine", "lb_deim", "lb_rtdetrv2"), Detector(RTDETR, pixels=STRETCH)
    ),
    "lb_lwdetr": Detector(queries("pred_logits", "pred_boxes", softmax=False), "coco91", IMAGENET),
    "lb_yolox": Detector(objectness(), pixels=BYTES_BGR),
    "lb_yolonas": Detector(scored),
    "lb_ppyoloe": Detector(scored, pixels=IMAGENET),
    "lb_picodet": Detector(columns(corners=True), pixels=IMAGENET),
    "lb_rtmdet": Detector(columns(corners=True), pixels=CAFFE),
    "lb_ssd": Detector(
        columns(corners=True), pixels=Pixels("stretch", False, (123, 117, 104), (1, 1, 1))
    ),
    "lb_detr": Detector(
        queries("pred_logits", "pred_boxes", softmax=True), "coco91", pixels=IMAGENET
    ),
    **dict.fromkeys(
        ("lb_yolo9", "lb_yolo7", "lb_yolo4", "lb_yolo3", "lb_yolo2"),
        Detector(columns(corners=True), pixels=Pixels("corner")),
    ),
    "tv_ssdlite": Detector(listed, "coco91", pixels=STRETCH),
    "tv_fcos": Detector(listed, "coco91", pixels=STRETCH),
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
