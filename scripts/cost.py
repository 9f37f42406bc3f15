"""What a million pictures cost on AWS, from the time that one takes.

    python -m scripts.cost            # measures it on this machine, with the sample pictures
    python -m scripts.cost --ms 60    # takes it as given

Prints the table of docs/deploy.md. Measured is the handler's processor time, from the event to
the answer, at one picture per request; other programs on the machine don't change it much.

Lambda gives processor time in proportion to memory, one core at 1769 MB
(https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html), so below that a picture
takes longer by as much. More helps requests with several pictures only, as a picture keeps one
core busy; their time is then shared by the cores.
"""

from __future__ import annotations

import argparse
import base64
import statistics
import time
from pathlib import Path

SAMPLES = Path(__file__).resolve().parent.parent / "samples"
PRICES_OF = "2026-11-22"
"""us-east-1, list prices as published copies of 2025-26 give them, before any free tier."""
DOLLARS_PER_MILLION_REQUESTS = 0.20 + 3.50
"""Lambda's and API Gateway's (REST)."""
DOLLARS_PER_GB_SECOND = {"arm64": 0.0000133334, "x86_64": 0.0000166667}
MB_PER_CORE = 1769
MEMORY_MB = (512, 1024, 1769, 2048, 3008)
ROUNDS = 15


def billed_ms(core_ms: float, memory_mb: int) -> float:
    """How long Lambda runs for a picture that takes `core_ms` on a core of its own."""
    return core_ms * max(1.0, MB_PER_CORE / memory_mb)


def dollars_per_million(core_ms: float, memory_mb: int, architecture: str) -> float:
    """Lambda and API Gateway together, for a million requests with one picture each."""
    gb_seconds = 1e6 * memory_mb / 1024 * billed_ms(core_ms, memory_mb) / 1000
    return gb_seconds * DOLLARS_PER_GB_SECOND[architecture] + DOLLARS_PER_MILLION_REQUESTS


def table(core_ms: float) -> str:
    """The costs by memory size and architecture, in Markdown."""
    lines = ["| memory, MB | time, ms | arm64 | x86_64 |", "|---|---|---|---|"]
    for memory_mb in MEMORY_MB:
        dollars = " | ".join(
            f"${dollars_per_million(core_ms, memory_mb, architecture):.2f}"
            for architecture in DOLLARS_PER_GB_SECOND
        )
        lines.append(f"| {memory_mb} | {billed_ms(core_ms, memory_mb):.0f} | {dollars} |")
    return "\n".join(lines)


def measure_ms() -> float:
    """Processor time of `/predict` with one sample picture, as median, in milliseconds."""
    from hooks.pre_traffic import proxy_event
    from lambda_function import lambda_handler_classification as handler

    times = []
    for picture in sorted(SAMPLES.glob("*.jpg")) * ROUNDS:
        event = proxy_event(
            "POST",
            "/predict",
            headers={"Content-Type": "image/jpeg"},
            body=base64.b64encode(picture.read_bytes()).decode(),
            isBase64Encoded=True,
        )
        start = time.process_time()
        answer = handler(event, None)
        times.append((time.process_time() - start) * 1000)
        if answer["statusCode"] != 200:
            raise SystemExit(f"{picture.name}: {answer}")
    return statistics.median(times)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="What a million pictures cost on AWS.")
    parser.add_argument("--ms", type=float, help="time of one picture on one core, milliseconds")
    core_ms = parser.parse_args().ms or measure_ms()
    print(f"One picture: {core_ms:.0f} ms on one core. Prices of {PRICES_OF}, us-east-1.\n")
    print(table(core_ms))


if __name__ == "__main__":
    main()
