"""Run the command line: `python -m matchvec_client`."""

import sys

from matchvec_client.cli import main

sys.exit(main())
