"""The onnxruntime options of the web frameworks' processes."""

from __future__ import annotations

import os

import onnxruntime


def session_options() -> onnxruntime.SessionOptions | None:
    """Return onnxruntime's defaults, or options with `BENCH_THREADS` threads.

    Two threads, the default on two cores, give a lower latency for one client; one thread per
    process gives a higher throughput. Each measurement uses the better one.
    """
    threads = int(os.environ.get("BENCH_THREADS", "0"))
    if not threads:
        return None
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    return options
