"""Commands for your own models: `python -m scripts.models COMMAND`.

    inspect FILE.onnx                print inputs, outputs, and the manifest it most likely needs
    add FILE.onnx --name NAME        create a model folder from it
    check NAME --images DIR          run it, draw its results, compare with the recorded ones
    bench NAME... --images DIR       measure time, size, and accuracy on labelled pictures
    list                             list the models and whether they load
    fetch NAME                       download a public model

docs/models.md explains them step by step.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from inference.detection import Detector, load_detector
from inference.errors import ModelUnavailable
from inference.manifest import load_manifest
from inference.store import ModelStore
from scripts.models import report
from scripts.models.add import ModelOptions, add_model
from scripts.models.bench import measure, table
from scripts.models.catalogue import CATALOGUE, fetch_model, read_catalogue
from scripts.models.check import (
    advice_for,
    answers_of,
    draw,
    hints_for,
    open_model,
    problems_of,
)
from scripts.models.console import ask
from scripts.models.download import ProgressBar
from scripts.models.errors import ToolError
from scripts.models.golden import differences, read_golden, write_golden
from scripts.models.graph import read_graph
from scripts.models.guess import guess
from scripts.models.labelled import read_labelled
from scripts.models.labels import adjacent_labels
from scripts.models.listing import listed_models
from scripts.models.pictures import read_pictures
from scripts.models.product import SETTINGS
from service.settings import BUNDLED_MODELS

ROOT = Path(__file__).resolve().parent.parent.parent
OUT = ROOT / "out" / "models"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return 0, or 1 if something has to be changed."""
    options = _parser().parse_args(arguments)
    try:
        return int(options.run(options))
    except (ToolError, ModelUnavailable) as error:
        print(f"models: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _inspect(options: argparse.Namespace) -> int:
    graph = read_graph(options.file)
    adjacent = adjacent_labels(options.file, None)
    guessed = guess(graph, options.size, adjacent[1] if adjacent else None)
    print(report.inspection(graph, guessed))
    return 1 if guessed.problems else 0


def _add(options: argparse.Namespace) -> int:
    wanted = ModelOptions(
        name=options.name,
        labels=tuple(options.labels),
        vehicles=tuple(name.strip() for name in options.vehicles.split(",") if name.strip()),
        licence=options.licence,
        version=options.version,
        source=options.source,
        changes=tuple(options.set),
        replace=options.replace,
    )
    folder, findings = add_model(options.models, options.file, wanted, ask)
    print(report.added(folder, findings))
    return 0


def _check(options: argparse.Namespace) -> int:
    folder = ModelStore(options.models, BUNDLED_MODELS).find(options.name)
    model = open_model(folder)
    finder = model if isinstance(model, Detector) else _finder(options)
    pictures, failed = read_pictures(options.images)
    if labelled := sum(picture.boxes is not None for picture in pictures):
        print(f"{labelled} of {len(pictures)} pictures have true boxes")
    answers = {}
    for position, picture in enumerate(pictures, start=1):
        found = answers_of(model, finder, picture, options.threshold)
        path = options.out / options.name / f"{position:03}-{Path(picture.name).stem}.jpg"
        draw(picture, found, path)
        answers[picture.name] = found
        print(report.found(picture.name, found))
    print(f"Pictures drawn in {options.out / options.name}")
    for line in failed:
        print(f"not read: {line}")
    problems = problems_of(model, pictures)
    hints = hints_for(folder, model, _finder(options), pictures) if not problems else []
    for line in hints:
        print(f"Hint: {line}")
    advice = None
    if not problems and options.compare:
        advice = advice_for(model, finder, pictures)
        print(report.advice(advice))
    golden = None if options.record else read_golden(folder)
    if golden is not None:
        problems += differences(golden, answers)
        print(report.compared(golden, answers, folder))
    elif options.record or not (problems or hints or advice):
        print(f"Recorded in {write_golden(folder, answers)}")
    for line in problems:
        print(f"! {line}")
    return 1 if problems else 0


def _bench(options: argparse.Namespace) -> int:
    pictures, kind = read_labelled(options.images)
    print(f"{len(pictures)} pictures with labels ({kind})")
    store = ModelStore(options.models, BUNDLED_MODELS)
    print(table([measure(open_model(store.find(name)), pictures) for name in options.names]))
    return 0


def _finder(options: argparse.Namespace) -> Detector:
    """Load the detector that finds the vehicles for a classifier."""
    folder = ModelStore(BUNDLED_MODELS, options.models).find(options.detector)
    return load_detector(load_manifest(folder))


def _list(options: argparse.Namespace) -> int:
    models = listed_models([options.models, BUNDLED_MODELS])
    for model in models:
        print(f"{model.folder.name:28} {'' if model.loads else 'DOES NOT LOAD: '}{model.text}")
        print(f"{'':28} {model.folder}")
    return 0 if all(model.loads for model in models) else 1


def _fetch(options: argparse.Namespace) -> int:
    catalogue = read_catalogue(options.catalogue)
    if options.name is None:
        print(report.catalogue(catalogue.values()))
        return 0
    if options.name not in catalogue:
        raise ToolError(f"the catalogue has no {options.name}. Choose from {', '.join(catalogue)}")
    entry = catalogue[options.name]
    progress = ProgressBar(entry.name)
    folder = fetch_model(options.models, entry, progress, replace=options.replace)
    print(report.fetched(folder, entry))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m scripts.models",
        description="Commands for your own models; docs/models.md explains them.",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument(
        "--models",
        type=Path,
        default=Path(os.environ.get("BASE_MODEL_PATH") or BUNDLED_MODELS),
        help="folder of models (default: BASE_MODEL_PATH, or the project's models/)",
    )
    _inspect_options(commands.add_parser("inspect", help="describe an ONNX file"))
    _add_options(commands.add_parser("add", parents=[shared], help="create a model folder"))
    _check_options(commands.add_parser("check", parents=[shared], help="run a model on pictures"))
    bench = commands.add_parser("bench", parents=[shared], help="compare models")
    bench.add_argument("names", nargs="+", metavar="NAME")
    bench.add_argument(
        "--images",
        type=Path,
        required=True,
        metavar="DIR",
        help="labelled pictures: YOLO, COCO, or a folder per class",
    )
    bench.set_defaults(run=_bench)
    listing = commands.add_parser("list", parents=[shared], help="list the models")
    listing.set_defaults(run=_list)
    fetch = commands.add_parser("fetch", parents=[shared], help="download a public model")
    fetch.add_argument(
        "name", nargs="?", metavar="NAME", help="model to download; without it, list all"
    )
    fetch.add_argument("--catalogue", type=Path, default=CATALOGUE, help="another one")
    fetch.add_argument("--replace", action="store_true", help="replace an existing model")
    fetch.set_defaults(run=_fetch)
    return parser


def _inspect_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, metavar="FILE.onnx")
    parser.add_argument(
        "--size", type=_size, metavar="WxH", help="size of the input, if the graph accepts any"
    )
    parser.set_defaults(run=_inspect)


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, metavar="FILE.onnx")
    parser.add_argument("--name", required=True, help="lower-case letters, digits, _ - .")
    parser.add_argument(
        "--labels",
        action="append",
        default=[],
        metavar="FILE",
        help="file with one label a line, or coco80, coco90, coco91, imagenet1000 or imagenet1001; "
        "OUTPUT=FILE for each of several outputs",
    )
    parser.add_argument(
        "--vehicles", default="", metavar="A,B", help="labels that /predict classifies"
    )
    parser.add_argument("--licence", default="", help="licence, such as Apache-2.0")
    parser.add_argument("--version", default="1")
    parser.add_argument("--source", default="", help="origin of the model")
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="FIELD=VALUE",
        help="field of the manifest, such as input.color=BGR; the value is JSON or text",
    )
    parser.add_argument("--replace", action="store_true", help="replace an existing model")
    parser.set_defaults(run=_add)


def _check_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME")
    parser.add_argument(
        "--images",
        type=Path,
        required=True,
        metavar="DIR",
        help="folder with at least 8 photographs",
    )
    parser.add_argument("--out", type=Path, default=OUT, help="default: out/models")
    parser.add_argument("--threshold", type=float, default=SETTINGS.detection_threshold)
    parser.add_argument(
        "--detector",
        default=SETTINGS.detection_model,
        help="detector that finds the vehicles for a classifier",
    )
    parser.add_argument("--record", action="store_true", help="record these results as correct")
    parser.add_argument(
        "--no-compare",
        dest="compare",
        action="store_false",
        help="do not try other colours and normalisations",
    )
    parser.set_defaults(run=_check)


def _size(text: str) -> tuple[int, int]:
    width, _, height = text.partition("x")
    return int(width), int(height)


if __name__ == "__main__":
    sys.exit(main())
