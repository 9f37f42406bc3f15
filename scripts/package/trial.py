"""Runs a built package once, with nothing else to import, as Lambda would.

    python3.13 -I -S scripts/package/trial.py PACKAGE [PICTURE ...]

Isolated (`-I`) and without site packages (`-S`), the interpreter knows its standard library and
the package. Prints one JSON object: the answer of `/health`, the answer of `/predict` to each
picture in one form, and every module outside of the package that was imported and is not the
standard library's.
"""

from __future__ import annotations

import base64
import json
import os
import sys
from pathlib import Path
from typing import Any

BOUNDARY = "matchvec-trial"


def main() -> None:
    """Import the handler, have it answer, print what came."""
    package = Path(sys.argv[1]).resolve()
    pictures = [Path(argument) for argument in sys.argv[2:]]
    os.chdir("/")
    # -I keeps this file's folder out of sys.path; the package comes first, as /var/task does.
    sys.path.insert(0, str(package))
    import lambda_function

    answer = lambda_function.lambda_handler_classification
    report: dict[str, Any] = {"health": answer(_event("GET", "/health"), None)}
    if pictures:
        report["predict"] = answer(_event("POST", "/predict", pictures), None)
    report["from_elsewhere"] = _imported_from_elsewhere(package)
    print(json.dumps(report))


def _event(method: str, path: str, pictures: list[Path] | None = None) -> dict[str, Any]:
    event: dict[str, Any] = {
        "path": path,
        "httpMethod": method,
        "queryStringParameters": {"details": "true"},
    }
    if pictures:
        event |= {
            "headers": {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"},
            "body": base64.b64encode(_form(pictures)).decode(),
            "isBase64Encoded": True,
        }
    return event


def _form(pictures: list[Path]) -> bytes:
    """multipart/form-data (RFC 7578) with one `image` field per picture."""
    parts = [
        f"--{BOUNDARY}\r\n"
        f'Content-Disposition: form-data; name="image"; filename="{picture.name}"\r\n\r\n'.encode()
        + picture.read_bytes()
        + b"\r\n"
        for picture in pictures
    ]
    return b"".join(parts) + f"--{BOUNDARY}--\r\n".encode()


def _imported_from_elsewhere(package: Path) -> list[str]:
    standard = [Path(os.__file__).resolve().parent, Path(sys.prefix).resolve() / "lib-dynload"]
    files = {
        name: Path(file).resolve()
        for name, module in sys.modules.items()
        if name != "__main__" and (file := getattr(module, "__file__", None))
    }
    return sorted(
        f"{name} from {file}"
        for name, file in files.items()
        if not any(file.is_relative_to(folder) for folder in (package, *standard))
    )


if __name__ == "__main__":
    main()
