"""The onnxruntime options of the web frameworks' processes."""

from __future__ import annotations

import os

import onnxruntime


def session_options() -> onnxruntime.SessionOptions | None:
    """Onnxruntime's defaults, or as many threads as `BENCH_THREADS` says.

    Two threads, the default on two cores, answer a lone request sooner; one thread per process
    answers more requests at once. The benchmark gives each measure what suits it.
    """
    threads = int(os.environ.get("BENCH_THREADS", "0"))
    if not threads:
        return None
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    return options
