"""Write classifiers of scikit-learn for 16 x 16 pixels, with and without ZipMap.

    python tests/models/exports_sklearn.py FOLDER

It needs an environment with scikit-learn and skl2onnx. `test_exports_tensorflow.py` reads the
files.
"""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path

import numpy as np

RANDOM = np.random.default_rng(0)


def scikit_learn(folder: Path) -> None:
    """Write classifiers of 16 x 16 pixels, with and without ZipMap."""
    onnx, skl = import_module("onnx"), import_module("skl2onnx")
    linear, neural = import_module("sklearn.linear_model"), import_module("sklearn.neural_network")
    helper, kind = onnx.helper, onnx.TensorProto.FLOAT
    rows, names = RANDOM.random((60, 768), dtype=np.float32), np.array(["car", "truck", "bus"] * 20)
    models = {
        "sk_logistic": linear.LogisticRegression().fit(rows, names),
        "sk_network": neural.MLPClassifier((8,), max_iter=9).fit(rows, np.arange(60) % 3),
    }
    flatten = helper.make_graph(
        [helper.make_node("Flatten", ["images"], ["flat"])], "flatten",
        [helper.make_tensor_value_info("images", kind, [1, 3, 16, 16])],
        [helper.make_tensor_value_info("flat", kind, [1, 768])],
    )  # fmt: skip
    inputs = [("rows", skl.common.data_types.FloatTensorType([None, 768]))]
    for name, model in models.items():
        for suffix, zipmap in (("_zipmap", True), ("", False)):
            options = {"zipmap": zipmap}
            end = skl.convert_sklearn(model, initial_types=inputs, options=options, target_opset=15)
            start = helper.make_model(flatten, opset_imports=end.opset_import)
            start.ir_version = end.ir_version
            whole = onnx.compose.merge_models(start, end, io_map=[("flat", "rows")])
            onnx.save(whole, folder / f"{name}{suffix}.onnx")


if __name__ == "__main__":
    Path(sys.argv[1]).mkdir(parents=True, exist_ok=True)
    scikit_learn(Path(sys.argv[1]))
