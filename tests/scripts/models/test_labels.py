from __future__ import annotations

from pathlib import Path

import pytest

from scripts.models.errors import ToolError
from scripts.models.labels import check_count, read_labels

FILES: dict[str, tuple[str, bytes]] = {
    "lines": ("a.txt", b"car \n\n truck\n"),
    "a byte order mark and CRLF": ("a.txt", b"\xef\xbb\xbfcar\r\ntruck\r\n"),
    "a YAML list": ("data.yaml", b"nc: 2\nnames: ['car', 'truck']\n"),
    "a YAML map": ("data.yml", b"names:\n  0: car\n  1: truck\n"),
    "a JSON list": ("l.json", b'["car", "truck"]'),
    "a JSON id map": ("l.json", b'{"1": "truck", "0": "car"}'),
    "a JSON name map": ("l.json", b'{"truck": 1, "car": 0}'),
    "config.json of transformers": ("config.json", b'{"id2label": {"0": "car", "1": "truck"}}'),
    "pbtxt": (
        "map.pbtxt",
        b"item {\n  id: 1\n  name: '/m/0k4j'\n  display_name: 'car'\n}\n"
        b'item { name: "truck" id: 2 }\n',
    ),
    "CSV with ids": ("l.csv", b"id,name\n1,truck\n0,car\n"),
    "CSV without ids": ("l.csv", b"label\ncar\ntruck\n"),
    "CSV of Excel": ("l.csv", b"\xef\xbb\xbfclass_id;class_name\r\n0;car\r\n1;truck\r\n"),
    "CSV without a header": ("l.csv", b"0,car\n1,truck\n"),
    "CSV without a header, names first": ("l.csv", b"car,0\ntruck,1\n"),
    "CSV of names alone": ("l.csv", b"car\ntruck\n"),
    "UTF-16 of Windows": ("a.txt", "car\r\ntruck\r\n".encode("utf-16")),
    "numbered lines": ("a.txt", b"0  car\n1  truck\n"),
    "numbered lines from 1": ("a.txt", b"1: car\n2: truck\n"),
    "a Python dict": ("a.txt", b"{0: 'car', 1: 'truck'}"),
    "a JSON object with labels": ("l.json", b'{"labels": ["car", "truck"]}'),
    "JSON with ImageNet's ids": ("l.json", b'{"0": ["n1", "car"], "1": ["n2", "truck"]}'),
    "categories of COCO": (
        "l.json", b'{"categories": [{"id": 2, "name": "truck"}, {"id": 1, "name": "car"}]}',
    ),
    "pbtxt with a colon": ("map.pbtxt", b'item: {id: 1 name: "car"}\nitem: {id: 2 name: "truck"}'),
}  # fmt: skip


OTHERS: dict[str, tuple[str, bytes, tuple[str, ...]]] = {
    "an unused id": (
        "a.pbtxt", b"item {id: 1 name: 'car'} item {id: 3 name: 'bus'}", ("car", "N/A", "bus"),
    ),
    "an apostrophe": (
        "a.pbtxt", b"item {id: 1 name: 'driver\\'s'} item {id: 2 name: 'b'}", ("driver's", "b"),
    ),
    "yes and no": ("a.yaml", b"names: [yes, no]", ("yes", "no")),
    "names with numbers": ("a.txt", b"1 series\n3 series\n", ("1 series", "3 series")),
}  # fmt: skip


@pytest.mark.parametrize(("name", "content", "labels"), OTHERS.values(), ids=OTHERS)
def test_odd_names(name: str, content: bytes, labels: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)

    assert read_labels(str(tmp_path / name)) == labels


@pytest.mark.parametrize(("name", "content"), FILES.values(), ids=FILES)
def test_labels_are_read(name: str, content: bytes, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)

    assert read_labels(str(tmp_path / name)) == ("car", "truck")


INVALID: dict[str, tuple[str, bytes]] = {
    "empty": ("a.txt", b"\n"),
    "not UTF-8": ("a.txt", b"v\xe9hicule\n"),
    "not YAML": ("a.yaml", b"names: [a"),
    "YAML without names": ("a.yaml", b"train: images\n"),
    "JSON with a gap in the ids": ("a.json", b'{"0": "a", "2": "b"}'),
    "a JSON number": ("a.json", b"3"),
    "pbtxt without ids": ("a.pbtxt", b"item { name: 'a' }"),
    "CSV of one row": ("a.csv", b"car,truck\n"),
    "JSON objects without names": ("a.json", b'[{"id": 0}, {"id": 1}]'),
}


@pytest.mark.parametrize(("name", "content"), INVALID.values(), ids=INVALID)
def test_invalid_files_are_refused(name: str, content: bytes, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)

    with pytest.raises(ToolError):
        read_labels(str(tmp_path / name))


@pytest.mark.parametrize(
    ("labels", "moved"),
    {
        "one too many": (("background", "car", "bus", "van"), "'car' then moves from class 1 to 0"),
        "one too few": (("car", "bus"), "'car' then moves from class 0 to 1"),
    }.values(),
    ids=["one too many", "one too few"],
)
def test_a_background_class_is_explained(labels: tuple[str, ...], moved: str) -> None:
    with pytest.raises(ToolError, match=moved):
        check_count(labels, 3, "the model")
    check_count(labels, len(labels), "the model")
    check_count(labels, None, "the model")
