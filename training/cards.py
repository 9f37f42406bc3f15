"""The tables of the model cards, made from `metrics.json`.

A card holds a line `<!-- table NAME -->`, the table, and `<!-- end -->`; `update` replaces what is
between. `<!-- sha256 -->` stands in front of the checksum.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

Metrics = dict[str, Any]


def table(headings: list[str], rows: list[list[str]]) -> str:
    """A Markdown table."""
    lines = [headings, ["---"] * len(headings), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _classes(classes: dict[str, Any], start: dict[str, Any]) -> str:
    rows = [
        [
            name,
            str(row["objects"]),
            f"{row['ap50']:.3f}",
            f"{row['ap50_95']:.3f}",
            f"{row['precision']:.2f}",
            f"{row['recall']:.2f}",
            f"{start[name]['ap50']:.3f}" if start else "",
        ]
        for name, row in classes.items()
    ]
    headings = ["class", "objects", "AP50", "AP50-95", "precision", "recall", "AP50 of the start"]
    return table(headings, rows)


def detector_versions(metrics: Metrics) -> str:
    """mAP50 and size of every version of the detector."""
    names = {"float": "float32", "int8": "int8 QDQ", "coco_start": "YOLOX-nano, COCO weights"}
    rows = [
        [
            names[version],
            f"{values['map50_four']:.3f}",
            f"{values['map50_five']:.3f}",
            f"{values['bytes']:,}" if "bytes" in values else "",
        ]
        for version, values in metrics.items()
    ]
    return table(["version", "mAP50, 4 classes", "mAP50, 5 classes", "bytes"], rows)


def detector_classes(metrics: Metrics) -> str:
    """Precision by class on vehicles_openimages valid."""
    return _classes(metrics["float"]["classes"], metrics.get("coco_start", {}).get("classes", {}))


def detector_coco(metrics: Metrics) -> str:
    """Precision by class on coco128."""
    return _classes(metrics["float"]["coco128"], metrics.get("coco_start", {}).get("coco128", {}))


def attribute_kinds(metrics: Metrics) -> str:
    """Return the accuracy of kinds by source and kind, of the network alone."""
    rows = []
    for source, values in metrics["kinds"].items():
        rows.append([source, "all", str(values["crops"]), f"{values['accuracy']:.3f}", ""])
        for name, row in values["classes"].items():
            wrong = ", ".join(f"{other} {count}" for other, count in row["mistaken_for"].items())
            rows.append([source, name, str(row["crops"]), f"{row['accuracy']:.3f}", wrong])
    return table(["source", "kind", "crops", "accuracy", "mistaken for"], rows)


def attribute_rule(metrics: Metrics) -> str:
    """Return what detector, network and both together get right."""
    rows = []
    for source, ways in metrics["rule"].items():
        for way, values in ways.items():
            kinds = values["classes"]
            shares = [f"{kinds[k]['accuracy']:.2f}" if k in kinds else "" for k in RULE_KINDS]
            rows.append([source, way, str(values["crops"]), f"{values['accuracy']:.3f}", *shares])
    return table(["photos", "decided by", "vehicles", "accuracy", *RULE_KINDS], rows)


def attribute_summary(metrics: Metrics) -> str:
    """Return how makes and colours agree with the teachers."""
    makes, colours, far = metrics["makes"], metrics["colours"], metrics["makes_far"]
    rows = [
        ["held-out crops of cars", str(makes["crops"])],
        ["make: teacher is sure (0.8)", f"{makes['teacher_sure']:.3f}"],
        ["make: same as the teacher's where it is sure", f"{makes['agree_where_sure']:.3f}"],
        ["make: same as the teacher's, all crops", f"{makes['agree']:.3f}"],
        ["make: named by this network", f"{makes['named']:.3f}"],
        ["make: same as the teacher's after four looks where named", f"{makes['named_agree']:.3f}"],
        ["make: the teacher's mean probability where named", f"{makes['named_expected']:.3f}"],
        ["the same where the teacher is sure", f"{makes['teacher_named_expected']:.3f}"],
        [f"make: right at {far['pixels']} pixels, {far['crops']} crops", f"{far['network']:.3f}"],
        ["the same, teacher", f"{far['teacher']:.3f}"],
        ["colour: same as the teacher's where it is sure", f"{colours['agree_where_sure']:.3f}"],
        ["colour: same as the teacher's, all crops", f"{colours['agree']:.3f}"],
    ]
    return table(["what", "value"], rows)


def attribute_makes(metrics: Metrics) -> str:
    """Return the agreement with the teacher by make."""
    rows = [
        [name, str(row["crops"]), f"{row['agree']:.3f}"]
        for name, row in metrics["makes"]["makes"].items()
    ]
    return table(["make", "crops", "agreement"], rows)


def attribute_calibration(metrics: Metrics) -> str:
    """Return the teacher's probability of the network's first make, by how sure it is."""
    rows = [
        [
            f"{row['from']:.1f} to {row['to']:.1f}",
            str(row["crops"]),
            f"{row['probability']:.2f}",
            f"{row['teacher']:.2f}",
            f"{row['agree']:.2f}",
        ]
        for row in metrics["makes"]["calibration"]
    ]
    headings = ["first probability", "crops", "mean", "teacher, four looks", "same first make"]
    return table(headings, rows)


def attribute_colours(metrics: Metrics) -> str:
    """Return the agreement with the colour teacher by colour."""
    rows = [
        [name, str(row["crops"]), f"{row['agree']:.3f}"]
        for name, row in metrics["colours"]["colours"].items()
    ]
    return table(["colour", "crops", "agreement"], rows)


RULE_KINDS = ("ambulance", "bus", "car", "motorcycle", "truck")
TABLES: dict[str, Callable[[Metrics], str]] = {
    "detector_versions": detector_versions,
    "detector_classes": detector_classes,
    "detector_coco": detector_coco,
    "attribute_kinds": attribute_kinds,
    "attribute_rule": attribute_rule,
    "attribute_makes": attribute_makes,
    "attribute_summary": attribute_summary,
    "attribute_calibration": attribute_calibration,
    "attribute_colours": attribute_colours,
}


def filled(card: str, metrics: Metrics, manifest: Metrics) -> str:
    """The card with every table and the checksum as metrics and manifest have them."""

    def replace(found: re.Match[str]) -> str:
        name = found[1]
        return f"<!-- table {name} -->\n{TABLES[name](metrics)}\n<!-- end -->"

    card = re.sub(r"<!-- table (\w+) -->.*?<!-- end -->", replace, card, flags=re.DOTALL)
    sha = f"<!-- sha256 --> `{manifest['sha256']}`"
    return re.sub(r"<!-- sha256 --> `\w*`", sha, card)


def update(folder: Path) -> None:
    """Fill the card of the model in `folder` from its metrics and manifest."""
    path = folder / "MODEL_CARD.md"
    metrics = json.loads((folder / "metrics.json").read_text())
    manifest = json.loads((folder / "manifest.json").read_text())
    path.write_text(filled(path.read_text(), metrics, manifest))
