"""The wheels' checksums, and the documents that a release has."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from scripts.package.build import HASHES, PINS, BuildFailed, pip_wheels
from scripts.package.hashes import hashes_text, pins
from scripts.package.materials import REQUIREMENT, main

ENVIRON = {
    "GITHUB_SERVER_URL": "https://github.com",
    "GITHUB_REPOSITORY": "owner/matchvec",
    "GITHUB_SHA": "a" * 40,
    "GITHUB_REF": "refs/tags/v0.2.0",
    "GITHUB_RUN_ID": "7",
    "GITHUB_WORKFLOW_REF": "owner/matchvec/.github/workflows/release.yml@refs/tags/v0.2.0",
}


@pytest.mark.promise("pinned-package")
def test_every_pin_has_the_checksums_of_its_wheels() -> None:
    text = HASHES.read_text()
    found = REQUIREMENT.findall(text)

    assert [f"{name}=={version}" for name, version, _ in found] == pins(PINS.read_text())
    checksums = {
        f"{name}=={version}": {each[-64:] for each in hashes.split(" \\\n") if each.strip()}
        for name, version, hashes in found
    }
    assert hashes_text(checksums) == text


@pytest.mark.promise("pinned-package")
def test_a_wheel_with_another_checksum_is_not_installed(tmp_path: Path) -> None:
    wheels, target, requirements = tmp_path / "wheels", tmp_path / "to", tmp_path / "a.txt"
    wheels.mkdir()
    (wheels / "nothing-1.0-py3-none-any.whl").write_bytes(b"not the wheel that was pinned")
    requirements.write_text("nothing==1.0 --hash=sha256:" + "0" * 64 + "\n")
    index = ["--no-index", "--find-links", str(wheels)]
    options = ["--require-hashes", "--requirement", str(requirements), "--target", str(target)]

    with pytest.raises(BuildFailed):
        pip_wheels("install", "arm64", [*index, *options])
    assert not target.exists()


def test_a_package_has_a_bill_of_materials_and_a_provenance(tmp_path: Path) -> None:
    package = tmp_path / "matchvec-v0.2.0-arm64.zip"
    package.write_bytes(b"package")
    main(package, ENVIRON)
    bill = json.loads((tmp_path / "matchvec-v0.2.0-arm64.cdx.json").read_text())
    statement = json.loads((tmp_path / "matchvec-v0.2.0-arm64.provenance.json").read_text())

    components = {each["name"]: each for each in bill["components"]}
    assert {pin.partition("==")[0] for pin in pins(PINS.read_text())} <= set(components)
    assert components["vehicle_detector"]["hashes"][0]["alg"] == "SHA-256"
    assert components["numpy"]["purl"] == f"pkg:pypi/numpy@{components['numpy']['version']}"
    assert statement["subject"] == [
        {"name": package.name, "digest": {"sha256": hashlib.sha256(b"package").hexdigest()}}
    ]
    [source] = statement["predicate"]["buildDefinition"]["resolvedDependencies"]
    assert source["digest"] == {"gitCommit": "a" * 40}
