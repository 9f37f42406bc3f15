"""Run a built package once without any other package installed, as Lambda does.

    python3.13 -I -S scripts/package/smoke_test.py PACKAGE [PICTURE ...]

The interpreter is isolated (`-I`) and has no site packages (`-S`), so it only finds its standard
library and the package. Prints one JSON object: the answers of `/health` and of `/predict` to the
pictures, and every imported module that is in neither place.
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
    """Import the handler, send it requests, and print its answers."""
    package = Path(sys.argv[1]).resolve()
    pictures = [Path(argument) for argument in sys.argv[2:]]
    os.chdir("/")
    # -I keeps this file's folder out of sys.path. The package comes first, as /var/task does.
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
    """Return a multipart/form-data body (RFC 7578) with one `image` field per picture."""
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
