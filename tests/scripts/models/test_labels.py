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
}


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
    "CSV without a header": ("a.csv", b"0,car\n1,truck\n"),
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
