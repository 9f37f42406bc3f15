"""Write the bill of materials and the provenance of a package.

    python -m scripts.package.materials build/matchvec-v0.2.0-arm64.zip

The first is CycloneDX 1.6 (https://cyclonedx.org/docs/1.6/json/), the second an in-toto statement
with SLSA provenance 1.0 (https://slsa.dev/spec/v1.0/provenance). Neither is signed: they say what a
package consists of, and GitHub's run says who built it.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from scripts.package.build import HASHES, PROJECT
from service import VERSION

REQUIREMENT = re.compile(
    r"^([\w.-]+)==([\w.]+)((?: \\\n +--hash=sha256:[0-9a-f]{64})+)$", re.MULTILINE
)
BUILD_TYPE = "https://docs.github.com/actions"


def bill_of_materials(requirements: str, manifests: list[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the CycloneDX document of a package.

    Args:
        requirements: Text of requirements-hashes.txt.
        manifests: The models' manifest.json.
    """
    libraries = [
        {
            "type": "library",
            "name": name,
            "version": version,
            "purl": f"pkg:pypi/{name.lower()}@{version}",
            "externalReferences": [
                {
                    "type": "distribution",
                    "url": f"https://pypi.org/project/{name}/{version}/",
                    "hashes": [{"alg": "SHA-256", "content": each}],
                }
                for each in re.findall(r"sha256:(\w+)", hashes)
            ],
        }
        for name, version, hashes in REQUIREMENT.findall(requirements)
    ]
    models = [
        {
            "type": "machine-learning-model",
            "name": manifest["name"],
            "version": manifest["version"],
            "hashes": [{"alg": "SHA-256", "content": manifest["sha256"]}],
        }
        for manifest in manifests
    ]
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": {"type": "application", "name": "matchvec", "version": VERSION}},
        "components": [*libraries, *models],
    }


def provenance(name: str, sha256: str, environ: Mapping[str, str]) -> dict[str, Any]:
    """Return the provenance of a file that a GitHub workflow built.

    Args:
        name: Name of the file.
        sha256: Its checksum.
        environ: Environment variables of the workflow.
    """
    repository = f"{environ['GITHUB_SERVER_URL']}/{environ['GITHUB_REPOSITORY']}"
    commit = environ["GITHUB_SHA"]
    return {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": name, "digest": {"sha256": sha256}}],
        "predicateType": "https://slsa.dev/provenance/v1",
        "predicate": {
            "buildDefinition": {
                "buildType": BUILD_TYPE,
                "externalParameters": {"workflow": environ["GITHUB_WORKFLOW_REF"]},
                "resolvedDependencies": [
                    {
                        "uri": f"git+{repository}@{environ['GITHUB_REF']}",
                        "digest": {"gitCommit": commit},
                    }
                ],
            },
            "runDetails": {
                "builder": {"id": f"{repository}/actions/runs/{environ['GITHUB_RUN_ID']}"},
            },
        },
    }


def main(package: Path, environ: Mapping[str, str]) -> None:
    """Write both documents next to the package."""
    manifests = [
        json.loads(path.read_text()) for path in sorted(PROJECT.glob("models/*/manifest.json"))
    ]
    sha256 = hashlib.sha256(package.read_bytes()).hexdigest()
    for suffix, document in (
        (".cdx.json", bill_of_materials(HASHES.read_text(encoding="utf-8"), manifests)),
        (".provenance.json", provenance(package.name, sha256, environ)),
    ):
        text = json.dumps(document, indent=2) + "\n"
        package.with_suffix(suffix).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), os.environ)
