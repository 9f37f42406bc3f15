"""Process archives of pictures in S3; scripts/bulk.sh runs this module.

It has the commands of the client's `matchvec bulk`, and two more for the operator of the stack:

    PYTHONPATH=client python -m scripts.bulk watch | unwatch

docs/scale.md explains each command.
"""

from __future__ import annotations

import sys

from matchvec_client.bulk import cli
from scripts.bulk import arrivals


def main(arguments: list[str]) -> int:
    """Run one command and return the exit code."""
    also = {"watch": arrivals.watch, "unwatch": arrivals.unwatch}
    return cli.main(arguments, "scripts/bulk.sh", also)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
