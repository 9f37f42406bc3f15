"""Simulate 1, 10 and 100 million pictures a day: latency, refusals and cost.

    python -m benchmarks.scale                     # prints the tables of docs/scale.md
    python -m benchmarks.scale --plots docs/images # also draws the plots (needs
                                                   #     benchmarks/requirements-report.txt)
    python -m benchmarks.scale --times FILE        # with other service times

Latency is measured from request to answer in Lambda, without the network and API Gateway (about 10
ms), and without retries. The same seed gives the same figures.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from benchmarks.scale.arrivals import PATTERNS
from benchmarks.scale.simulation import (
    VOLUMES,
    Archive,
    Day,
    ServiceTimes,
    load_times,
    refusals,
    run_archive,
    simulate,
)

TIMES = Path(__file__).parent / "service_times.json"
CONCURRENCIES = (50, 500, 1000)
SHOWN = (
    ("steady", VOLUMES[0], "as deployed"),
    ("diurnal", VOLUMES[0], "as deployed"),
    ("spike x100", VOLUMES[0], "as deployed"),
    ("steady", VOLUMES[1], "as deployed"),
    *((pattern, volume, "throttling raised") for volume in VOLUMES for pattern in PATTERNS),
    ("diurnal", VOLUMES[1], "new account"),
    ("diurnal", VOLUMES[2], "reserved 100"),
    ("spike x100", VOLUMES[1], "with SnapStart"),
    ("spike x100", VOLUMES[2], "quotas raised"),
)
"""(pattern, pictures a day, account)"""


def api_table(days: list[Day]) -> str:
    """Return a Markdown table of the days by API."""
    lines = [
        "| pictures a day | pattern | account | p50, ms | p99, ms | p99.9, ms "
        "| refused by the gateway | by Lambda | most at once | cost |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for day in days:
        outcome = day.outcome
        gateway, function = refusals(outcome)
        lines.append(
            f"| {day.volume // 1_000_000} million | {day.pattern} | {day.account} "
            f"| {1000 * outcome.percentile(50):.0f} | {1000 * outcome.percentile(99):.0f} "
            f"| {1000 * outcome.percentile(99.9):.0f} | {percent(gateway)} | {percent(function)} "
            f"| {int(outcome.busy.max()):,} | ${day.dollars:,.2f} |"
        )
    return "\n".join(lines)


def archive_table(archives: list[Archive]) -> str:
    """Return a Markdown table of the archive runs."""
    lines = ["| pictures | batches at once | time | cost |", "|---|---|---|---|"]
    lines += [
        f"| {each.volume // 1_000_000} million | {each.concurrency:,} | {duration(each.hours)} "
        f"| ${each.dollars:,.2f} |"
        for each in archives
    ]
    return "\n".join(lines)


def duration(hours: float) -> str:
    """Format hours, or whole minutes below two hours."""
    return f"{max(1.0, 60 * hours):.0f} min" if hours < 2 else f"{hours:.1f} h"


def percent(share: float) -> str:
    """Format a share with enough digits to distinguish it from 0."""
    if share == 0:
        return "0"
    return f"{100 * share:.1f} %" if share >= 0.001 else f"{100 * share:.2g} %"


def days(times: ServiceTimes) -> list[Day]:
    """Simulate every day of the table."""
    return [simulate(pattern, volume, account, times) for pattern, volume, account in SHOWN]


def archives(times: ServiceTimes) -> list[Archive]:
    """Simulate every archive run of the table."""
    return [
        run_archive(volume, concurrency, times)
        for volume in VOLUMES
        for concurrency in CONCURRENCIES
    ]


def main() -> None:
    """Simulate, print the tables, and draw the plots."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scale", description=__doc__)
    parser.add_argument("--times", type=Path, default=TIMES)
    parser.add_argument("--plots", type=Path)
    options = parser.parse_args()
    times = load_times(options.times)
    print(f"Service times: {times.source}; mean {times.mean_ms:.1f} ms.\n")
    by_api, by_archive = days(times), archives(times)
    print(api_table(by_api))
    print()
    print(archive_table(by_archive))
    if options.plots:
        from benchmarks.scale.plots import draw  # Only the plots need matplotlib.

        for path in draw(options.plots, times):
            print(f"Drawn: {path}")


if __name__ == "__main__":
    main()
