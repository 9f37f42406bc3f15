"""Archives of pictures in S3: what scripts/bulk.sh runs.

The commands are the client's, `matchvec bulk`, and two for who runs the stack:

    PYTHONPATH=client python -m scripts.bulk watch | unwatch

docs/scale.md tells which is for what.
"""

from __future__ import annotations

import sys

from matchvec_client.bulk import cli
from scripts.bulk import arrivals


def main(arguments: list[str]) -> int:
    """Run one command; an exit code."""
    also = {"watch": arrivals.watch, "unwatch": arrivals.unwatch}
    return cli.main(arguments, "scripts/bulk.sh", also)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
