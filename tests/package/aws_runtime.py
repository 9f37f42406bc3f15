"""Start AWS's runtime client instead of /var/runtime/bootstrap.py.

    python3.13 -I -S aws_runtime.py CLIENT_FOLDER HANDLER

The function's folder, LAMBDA_TASK_ROOT, comes first, as on Lambda, and the client's folder last.
Isolated and without site packages, nothing else can be imported.
"""

import os
import sys

if __name__ == "__main__":
    folder, handler = sys.argv[1:]
    sys.path = [os.environ["LAMBDA_TASK_ROOT"], *sys.path, folder]
    from awslambdaric.__main__ import main

    main(["bootstrap", handler])
