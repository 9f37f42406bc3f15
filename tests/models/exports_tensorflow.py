"""Write exports of TensorFlow, Keras and TensorFlow Lite, with random weights.

    python tests/models/exports_tensorflow.py FOLDER

It needs an environment with tensorflow and tf2onnx.
`test_exports_tensorflow.py` reads the files.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from importlib import import_module
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

SIDE, CELLS, CLASSES, MOST = 320, 10, 5, 20
OPSET = 13
RANDOM = np.random.default_rng(0)
CENTRES = (np.arange(CELLS, dtype=np.float32) + 0.5) / CELLS
GRID = np.stack(np.meshgrid(CENTRES, CENTRES, indexing="ij"), axis=-1).reshape(1, -1, 2)
PATHS = (3, 8, 16, 16, 24, 24)


def weights(*shape: int) -> Any:
    scale = np.sqrt(2 / np.prod(shape[:-1]))
    return RANDOM.normal(0, scale, shape).astype(np.float32)


LAYERS = [weights(3, 3, first, last) for first, last in pairwise(PATHS)]
HEAD = weights(1, 1, PATHS[-1], 4 + CLASSES) * 2


def network(pixels: Any) -> tuple[Any, Any]:
    """Return offsets [1, cells, 4] and logits [1, cells, classes] for pixels of -1..1."""
    tf = import_module("tensorflow")
    found = pixels
    for layer in LAYERS:
        found = tf.nn.relu(tf.nn.conv2d(found, layer, 2, "SAME"))
    found = tf.reshape(tf.nn.conv2d(found, HEAD, 1, "SAME"), (1, CELLS * CELLS, 4 + CLASSES))
    return found[..., :4], found[..., 4:]


def decoded(images: Any) -> tuple[Any, Any]:
    """Return boxes (y1, x1, y2, x2 of 0..1) and scores for pixels of 0..255 of any size."""
    tf = import_module("tensorflow")
    sized = tf.image.resize(tf.cast(images, tf.float32), (SIDE, SIDE))
    offsets, logits = network(sized / 127.5 - 1)
    centres = GRID + offsets[..., :2] * 0.05
    sizes = 0.15 * tf.exp(tf.clip_by_value(offsets[..., 2:], -3, 3) * 0.3)
    return tf.concat([centres - sizes / 2, centres + sizes / 2], -1), tf.sigmoid(logits)


def suppressed(images: Any) -> tuple[Any, Any, Any, Any]:
    tf = import_module("tensorflow")
    boxes, scores = decoded(images)
    return tuple(
        tf.image.combined_non_max_suppression(boxes[:, :, None], scores, MOST, MOST, 0.5, 0.05)
    )


def detection_api(images: Any) -> dict[str, Any]:
    """Return what TensorFlow's object detection API returns."""
    tf = import_module("tensorflow")
    boxes, scores, classes, count = suppressed(images)
    raw_boxes, raw_scores = decoded(images)
    return {
        "detection_boxes": boxes,
        "detection_scores": scores,
        "detection_classes": classes + 1,
        "num_detections": tf.cast(count, tf.float32),
        "raw_detection_boxes": raw_boxes,
        "raw_detection_scores": raw_scores,
        "detection_multiclass_scores": raw_scores[:, :MOST],
        "detection_anchor_indices": tf.zeros((1, MOST)),
    }


def automl(images: Any) -> dict[str, Any]:
    """Return EfficientDet's rows: picture, y1, x1, y2, x2 in pixels, score, class from 1."""
    tf = import_module("tensorflow")
    boxes, scores, classes, _ = suppressed(images)
    parts = [scores[..., None] * 0, boxes * SIDE, scores[..., None], classes[..., None] + 1]
    return {"detections": tf.concat(parts, -1)}


def undecoded(images: Any) -> dict[str, Any]:
    offsets, logits = network(images / 127.5 - 1)
    return {"box_outputs": offsets, "class_outputs": logits}


def unsuppressed(images: Any) -> dict[str, Any]:
    boxes, scores = decoded(images)
    return {"raw_detection_boxes": boxes, "raw_detection_scores": scores}


DETECTORS: dict[str, tuple[Callable[[Any], Any], str, tuple[int | None, ...]]] = {
    "tf_od_dynamic": (detection_api, "uint8", (1, None, None, 3)),
    "tf_od_fixed": (detection_api, "uint8", (1, SIDE, SIDE, 3)),
    "tf_od_float": (detection_api, "float32", (1, SIDE, SIDE, 3)),
    "tf_suppression": (suppressed, "uint8", (1, SIDE, SIDE, 3)),
    "tf_automl": (automl, "uint8", (1, SIDE, SIDE, 3)),
    "tf_undecoded": (undecoded, "float32", (1, SIDE, SIDE, 3)),
    "tf_unsuppressed": (unsuppressed, "float32", (1, SIDE, SIDE, 3)),
}


def detectors(folder: Path) -> None:
    tf, tf2onnx = import_module("tensorflow"), import_module("tf2onnx")
    for name, (model, dtype, shape) in DETECTORS.items():
        signature = [tf.TensorSpec(shape, dtype, "input_tensor")]
        tf2onnx.convert.from_function(
            tf.function(model, input_signature=signature), input_signature=signature, opset=OPSET,
            output_path=folder / f"{name}.onnx",
        )  # fmt: skip


POST_PROCESS = " ".join(
    (
        'name: "TFLite_Detection_PostProcess"',
        *(
            f'attr {{ key: "{key}" value {{ {kind}: {value} }} }}'
            for key, kind, value in (
                ("max_detections", "i", MOST), ("max_classes_per_detection", "i", 1),
                ("use_regular_nms", "b", "false"), ("nms_score_threshold", "f", 0.05),
                ("nms_iou_threshold", "f", 0.5), ("y_scale", "f", 10.0), ("x_scale", "f", 10.0),
                ("h_scale", "f", 5.0), ("w_scale", "f", 5.0), ("num_classes", "i", CLASSES),
            )
        ),
    )
)  # fmt: skip


def model_maker(folder: Path) -> None:
    """Write a file as Model Maker does: TFLite's post-processing, converted by tf2onnx."""
    tf, tf2onnx = import_module("tensorflow"), import_module("tf2onnx")
    anchors = np.concatenate([GRID[0], np.full((CELLS * CELLS, 2), 0.15, np.float32)], axis=1)

    @tf.function(experimental_implements=POST_PROCESS)  # type: ignore[untyped-decorator]
    def post_process(_boxes: Any, _scores: Any, _anchors: Any) -> Any:
        lists = [tf.zeros((1, MOST)) for _ in range(2)]
        return tf.zeros((1, MOST, 4)), *lists, tf.zeros((1,))

    module = tf.Module()
    signature = [tf.TensorSpec((1, SIDE, SIDE, 3), tf.float32, "images")]

    @tf.function(input_signature=signature)  # type: ignore[untyped-decorator]
    def detect(images: Any) -> Any:
        offsets, logits = network(images)
        return post_process(offsets, tf.sigmoid(logits), tf.constant(anchors))

    module.detect = detect
    converter = tf.lite.TFLiteConverter.from_concrete_functions(
        [detect.get_concrete_function()], module
    )
    converter.allow_custom_ops = True
    lite = folder / "tfl_model_maker.tflite"
    lite.write_bytes(converter.convert())
    tf2onnx.convert.from_tflite(lite, opset=OPSET, output_path=folder / "tfl_model_maker.onnx")


def classifier(end: str | None, classes: int, *first: Any, side: int | None = 96) -> Any:
    keras = import_module("keras")
    found = inputs = keras.Input((side, side, 3))
    for layer in first:
        found = layer(found)
    for filters in (8, 16):
        found = keras.layers.Conv2D(filters, 3, strides=2, activation="relu")(found)
    features = keras.layers.GlobalAveragePooling2D(name="pooled")(found)
    spread = keras.initializers.RandomNormal(0, 2.0)
    last = keras.layers.Dense(classes, end, kernel_initializer=spread, name="classes")(features)
    return keras.Model(inputs, last)


def keras_models() -> dict[str, Any]:
    keras = import_module("keras")
    keras.utils.set_random_seed(1)
    layers, applications = keras.layers, keras.applications
    pixels = keras.Input((96, 96, 3))
    caffe = applications.vgg16.preprocess_input(pixels)
    with_features = classifier("softmax", 4)
    pooled = with_features.get_layer("pooled").output
    statistics = {"mean": [123.0, 116.0, 103.0], "variance": [3300.0, 3200.0, 3300.0]}
    return {
        "k_softmax": classifier("softmax", 4),
        "k_logits": classifier(None, 4),
        "k_sigmoid": classifier("sigmoid", 4),
        "k_binary": classifier("sigmoid", 1),
        "k_rescale": classifier("softmax", 3, layers.Rescaling(1 / 255)),
        "k_rescale_signed": classifier(None, 4, layers.Rescaling(1 / 127.5, offset=-1)),
        "k_resize": classifier(
            None, 4, layers.Resizing(64, 64), layers.Rescaling(1 / 255), side=None
        ),
        "k_statistics": classifier("softmax", 4, layers.Normalization(**statistics)),
        "k_augmented": classifier("softmax", 4, layers.Rescaling(1 / 255), layers.RandomFlip()),
        "k_caffe": keras.Model(pixels, classifier("softmax", 4)(caffe)),
        "k_features": keras.Model(with_features.inputs, [with_features.outputs[0], pooled]),
        "k_mobilenetv2": applications.MobileNetV2(weights=None, classes=6),
        "k_mobilenetv3": applications.MobileNetV3Small(weights=None, classes=6),
        "k_efficientnet": applications.EfficientNetB0(weights=None, classes=6),
        "k_densenet": applications.DenseNet121(weights=None, classes=6),
    }  # fmt: skip


def keras_classifiers(folder: Path) -> None:
    tf2onnx = import_module("tf2onnx")
    for name, model in keras_models().items():
        path = folder / f"{name}.onnx"
        tf2onnx.convert.from_keras(model, opset=OPSET, output_path=path)
    channels_first = classifier("softmax", 4)
    tf2onnx.convert.from_keras(
        channels_first, opset=OPSET, inputs_as_nchw=[channels_first.inputs[0].name],
        output_path=folder / "k_nchw.onnx",
    )  # fmt: skip


def learning_phase(folder: Path) -> None:
    """Write a graph of TensorFlow 1 with Keras' learning phase and names such as `x:0`."""
    tf, tf2onnx = import_module("tensorflow"), import_module("tf2onnx")
    graph = tf.Graph()
    with graph.as_default():
        pixels = tf.compat.v1.placeholder(tf.float32, [None, 96, 96, 3], name="input_1")
        phase = tf.compat.v1.placeholder(tf.bool, [], name="keras_learning_phase")
        found = tf.reduce_mean(tf.nn.relu(tf.nn.conv2d(pixels, LAYERS[0], 2, "SAME")), [1, 2])
        found = tf.cond(phase, lambda: found * 0, lambda: found)
        tf.nn.softmax(tf.matmul(found, weights(8, 4)), name="predictions/Softmax")
    tf2onnx.convert.from_graph_def(
        graph.as_graph_def(), input_names=["input_1:0", "keras_learning_phase:0"],
        output_names=["predictions/Softmax:0"], opset=OPSET, output_path=folder / "k_phase.onnx",
    )  # fmt: skip


def lite(folder: Path) -> None:
    tf, tf2onnx = import_module("tensorflow"), import_module("tf2onnx")
    last = weights(24, 4)

    @tf.function(input_signature=[tf.TensorSpec((1, 96, 96, 3), tf.float32, "image")])  # type: ignore[untyped-decorator]
    def classify(images: Any) -> Any:
        found = images
        for layer in LAYERS:
            found = tf.nn.relu(tf.nn.conv2d(found, layer, 2, "SAME"))
        return tf.nn.softmax(tf.matmul(tf.reduce_mean(found, [1, 2]), last))

    module = tf.Module()
    module.classify = classify
    for name, dtype in (("float", None), ("int8", tf.int8), ("uint8", tf.uint8)):
        converter = tf.lite.TFLiteConverter.from_concrete_functions(
            [classify.get_concrete_function()], module
        )
        if dtype is not None:
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
            converter.representative_dataset = lambda: (
                [RANDOM.uniform(-1, 1, (1, 96, 96, 3)).astype(np.float32)] for _ in range(10)
            )
            converter.inference_input_type = converter.inference_output_type = dtype
        path = folder / f"tfl_{name}.tflite"
        path.write_bytes(converter.convert())
        tf2onnx.convert.from_tflite(path, opset=OPSET, output_path=folder / f"tfl_{name}.onnx")


FRAMEWORKS = (detectors, model_maker, keras_classifiers, learning_phase, lite)


def main(folder: Path) -> None:
    """Write the files of all frameworks that are installed."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    folder.mkdir(parents=True, exist_ok=True)
    for write in FRAMEWORKS:
        start = time.perf_counter()
        try:
            write(folder)
        except ImportError as error:
            print(f"{write.__name__} is not installed: {error}")
        print(f"{write.__name__}: {time.perf_counter() - start:.0f} s")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
