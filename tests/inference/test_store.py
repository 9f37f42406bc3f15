from __future__ import annotations

import hashlib
import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from inference.errors import ModelUnavailable
from inference.manifest import load_manifest
from inference.store import ModelStore
from tests.support.models import tiny_folder

BUCKET = "models.example"


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with mock_aws():
        client = boto3.client("s3")
        client.create_bucket(Bucket=BUCKET)
        yield client


def put(s3: Any, folder: Path, prefix: str = "prod/") -> None:
    for path in folder.iterdir():
        s3.put_object(
            Bucket=BUCKET, Key=f"{prefix}{folder.name}/{path.name}", Body=path.read_bytes()
        )


def store(tmp_path: Path, uri: str = "") -> ModelStore:
    return ModelStore(tmp_path / "bundled", tmp_path / "base", uri)


URI = f"s3://{BUCKET}/prod"


def test_a_bundled_model_comes_first(tmp_path: Path) -> None:
    for place in ("bundled", "base"):
        tiny_folder(tmp_path / place)

    assert store(tmp_path, "s3://not-asked/").find("tiny") == tmp_path / "bundled/tiny"


def test_then_the_user_s_own(tmp_path: Path) -> None:
    tiny_folder(tmp_path / "base")

    assert store(tmp_path).find("tiny") == tmp_path / "base/tiny"


def test_an_unknown_model_says_where_it_was_looked_for(tmp_path: Path) -> None:
    tiny_folder(tmp_path / "base", "other")
    with pytest.raises(
        ModelUnavailable, match=r"neither in .*bundled nor in .*base\. Available models: other\."
    ):
        store(tmp_path).find("tiny")


def test_a_folder_without_a_manifest_is_told_from_none(tmp_path: Path) -> None:
    (tiny_folder(tmp_path / "base") / "manifest.json").unlink()
    with pytest.raises(ModelUnavailable, match=r"base/tiny has no manifest\.json"):
        store(tmp_path).find("tiny")


NAMES = {"path": "../tiny", "absolute": "/etc", "empty": "", "dots": "..", "capitals": "Tiny"}


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
def test_a_name_is_never_a_path(name: str, tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailable, match="must be lower-case"):
        store(tmp_path).find(name)


@pytest.mark.parametrize("uri", [URI, URI + "/"])
def test_a_model_is_fetched(s3: Any, uri: str, tmp_path: Path) -> None:
    put(s3, tiny_folder(tmp_path / "source"))
    folder = store(tmp_path, uri).find("tiny")

    assert folder == tmp_path / "base/tiny"
    assert load_manifest(folder).name == "tiny"
    assert sorted(path.name for path in folder.iterdir()) == ["manifest.json", "model.onnx"]
    assert [path.name for path in (tmp_path / "base").iterdir()] == ["tiny"]


def test_a_bucket_without_a_prefix(s3: Any, tmp_path: Path) -> None:
    put(s3, tiny_folder(tmp_path / "source"), prefix="")

    assert store(tmp_path, f"s3://{BUCKET}").find("tiny") == tmp_path / "base/tiny"


def test_labels_are_fetched_too(s3: Any, tmp_path: Path) -> None:
    output = {"name": "scores", "activation": "none", "labels_file": "labels.txt"}
    source = tiny_folder(tmp_path / "source", output={"format": "classes", "outputs": [output]})
    (source / "labels.txt").write_text("a\nb\n")
    put(s3, source)

    assert (store(tmp_path, URI).find("tiny") / "labels.txt").read_text() == "a\nb\n"


def test_the_same_model_is_not_fetched_again(s3: Any, tmp_path: Path) -> None:
    put(s3, tiny_folder(tmp_path / "source"))
    model = store(tmp_path, URI).find("tiny") / "model.onnx"
    first = model.stat().st_ino
    store(tmp_path, URI).find("tiny")

    assert model.stat().st_ino == first


def test_a_damaged_copy_is_replaced(s3: Any, tmp_path: Path) -> None:
    put(s3, tiny_folder(tmp_path / "source"))
    model = store(tmp_path, URI).find("tiny") / "model.onnx"
    whole = model.read_bytes()
    model.write_bytes(whole[:10])

    assert (store(tmp_path, URI).find("tiny") / "model.onnx").read_bytes() == whole


def test_a_newer_version_replaces_the_older(s3: Any, tmp_path: Path) -> None:
    put(s3, tiny_folder(tmp_path / "source"))
    store(tmp_path, URI).find("tiny")
    shutil.rmtree(tmp_path / "source")
    put(s3, tiny_folder(tmp_path / "source", version="2.0.0"))

    assert load_manifest(store(tmp_path, URI).find("tiny")).version == "2.0.0"


def without_model(s3: Any) -> None:
    s3.delete_object(Bucket=BUCKET, Key="prod/tiny/model.onnx")


def with_other_model(s3: Any) -> None:
    s3.put_object(Bucket=BUCKET, Key="prod/tiny/model.onnx", Body=b"other")


def without_manifest(s3: Any) -> None:
    s3.delete_object(Bucket=BUCKET, Key="prod/tiny/manifest.json")


def with_broken_manifest(s3: Any) -> None:
    s3.put_object(Bucket=BUCKET, Key="prod/tiny/manifest.json", Body=b"{}")


def with_a_path(s3: Any) -> None:
    manifest = {"file": "../../evil", "sha256": hashlib.sha256(b"x").hexdigest()}
    s3.put_object(Bucket=BUCKET, Key="prod/tiny/manifest.json", Body=json.dumps(manifest))


FAULTS = {
    "model missing": (without_model, "NoSuchKey"),
    "model of another checksum": (with_other_model, "but the manifest has"),
    "manifest missing": (without_manifest, "NoSuchKey"),
    "manifest broken": (with_broken_manifest, "manifest.json is invalid"),
    "file outside of the folder": (with_a_path, "not inside the model's folder"),
}


@pytest.mark.parametrize(("break_it", "message"), FAULTS.values(), ids=FAULTS)
def test_a_failed_fetch_leaves_nothing_behind(
    break_it: Any, message: str, s3: Any, tmp_path: Path
) -> None:
    put(s3, tiny_folder(tmp_path / "source"))
    break_it(s3)
    with pytest.raises(ModelUnavailable, match=message):
        store(tmp_path, URI).find("tiny")

    assert list((tmp_path / "base").iterdir()) == []


def test_a_failed_update_keeps_the_older_version(s3: Any, tmp_path: Path) -> None:
    put(s3, tiny_folder(tmp_path / "source"))
    store(tmp_path, URI).find("tiny")
    shutil.rmtree(tmp_path / "source")
    put(s3, tiny_folder(tmp_path / "source", version="2.0.0"))
    with_other_model(s3)
    with pytest.raises(ModelUnavailable):
        store(tmp_path, URI).find("tiny")

    assert load_manifest(tmp_path / "base/tiny").version == "1.0.0"


def test_a_full_disk_is_noticed_before_the_download(
    s3: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(s3, tiny_folder(tmp_path / "source"))
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr("shutil.disk_usage", lambda _path: usage._replace(free=1000))
    with pytest.raises(ModelUnavailable, match="only 1000 free"):
        store(tmp_path, URI).find("tiny")


@pytest.mark.parametrize("uri", ["https://bucket/prefix", "s3://", "models"])
def test_another_uri_is_refused(uri: str, tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailable, match="must look like s3://bucket/prefix"):
        store(tmp_path, uri).find("tiny")


def test_boto3_is_imported_only_for_s3(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tiny_folder(tmp_path / "base")
    monkeypatch.setitem(sys.modules, "boto3", None)

    assert store(tmp_path).find("tiny") == tmp_path / "base/tiny"
