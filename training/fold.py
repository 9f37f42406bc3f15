"""What of a model does not depend on its input, computed once: `python -m training.fold`.

PyTorch's exporter leaves hundreds of nodes that compute sizes and paddings from constants, and
onnxruntime computes them again at every start. Its basic optimisations replace them by their values
and drop what does nothing; the result is plain ONNX for any processor and runtime
(https://onnxruntime.ai/docs/performance/model-optimizations/graph-optimizations.html). The further
levels are never saved: they are tied to onnxruntime, and the last one to one processor.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import tempfile
from pathlib import Path

import onnx
import onnxruntime

BUNDLED = Path(__file__).resolve().parents[1] / "models"
WEIGHTS = Path(__file__).parent / "weights"
PLAIN_ONNX = ("", "ai.onnx")


def fold(source: Path, target: Path) -> None:
    """Write the folded version of a model.

    Raises:
        ValueError: It would not be plain ONNX; `target` is left as it is.
    """
    with tempfile.TemporaryDirectory() as scratch:
        folded = str(Path(scratch) / "folded.onnx")
        options = onnxruntime.SessionOptions()
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
        options.optimized_model_filepath = folded
        onnxruntime.InferenceSession(str(source), options, providers=["CPUExecutionProvider"])
        model = onnx.load(folded)
    if others := {node.domain for node in model.graph.node} - set(PLAIN_ONNX):
        raise ValueError(f"{source} has been folded into nodes of {others}")
    # onnxruntime lists every set of operators that it knows.
    used = [each for each in model.opset_import if each.domain in PLAIN_ONNX]
    del model.opset_import[:]
    model.opset_import.extend(used)
    onnx.checker.check_model(model)
    onnx.save_model(model, str(target))


def main() -> None:
    """Rebuild the shipped models from the committed weights."""
    argparse.ArgumentParser(prog="python -m training.fold", description=__doc__).parse_args()
    for source in sorted(WEIGHTS.glob("*.onnx")):
        target = BUNDLED / source.stem / "model.onnx"
        fold(source, target)
        path = target.parent / "manifest.json"
        manifest = json.loads(path.read_text())
        manifest["sha256"] = hashlib.sha256(target.read_bytes()).hexdigest()
        path.write_text(json.dumps(manifest, indent=2) + "\n")
        print(f"{target}: {target.stat().st_size} bytes, sha256 {manifest['sha256']}")


if __name__ == "__main__":
    main()
