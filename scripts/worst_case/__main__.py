"""Print the requests that take the most processor time, counted and measured: `make cost`."""

from __future__ import annotations

import base64
import os
import time

from scripts.worst_case.search import Work, picture, search
from service.settings import Settings

ROWS = 8
BOUNDARY = "worst-case"


def form(work: Work) -> bytes:
    """Return the request's body."""
    candidate = work.candidate
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="image"; filename="a"\r\n\r\n'
    part = head.encode() + picture(candidate.name, candidate.side) + b"\r\n"
    return part * candidate.count + f"--{BOUNDARY}--\r\n".encode()


def measured_seconds(work: Work) -> float:
    """Return the processor time of the request, by the real handler and models."""
    from hooks.pre_traffic import proxy_event
    from lambda_function import lambda_handler_classification as handler

    headers = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
    if work.candidate.is_drawn:
        headers["Accept"] = "image/png"
    body = base64.b64encode(form(work)).decode()
    event = proxy_event("POST", "/predict", headers=headers, body=body, isBase64Encoded=True)
    event["queryStringParameters"] = {"threshold": "0", "top": "20"}
    start = time.process_time()
    handler(event, None)
    return time.process_time() - start


def table(works: list[Work]) -> str:
    """Return the requests as a Markdown table."""
    lines = [
        "| picture | side | pictures | drawn | bytes | answered | counted, s | measured, s |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for work in works:
        each = work.candidate
        drawn = "yes" if each.is_drawn else "no"
        lines.append(
            f"| {each.name} | {each.side} | {each.count} | {drawn} | {work.body_bytes} "
            f"| {work.answered} | {work.milliseconds / 1000:.2f} | {measured_seconds(work):.2f} |"
        )
    return "\n".join(lines)


def main() -> None:
    """Print the longest requests, and the longest of less than 10 kB."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    works = search(Settings.from_environment({}))
    small = [work for work in works if work.body_bytes < 10_000]
    per_kilobyte = sorted(works, key=lambda work: -work.ms_per_kilobyte)
    for title, chosen in (
        ("Longest requests", works),
        ("Longest requests of less than 10 kB", small),
        ("Most time per kilobyte", per_kilobyte),
    ):
        print(f"{title}\n\n{table(chosen[:ROWS])}\n", flush=True)


if __name__ == "__main__":
    main()
