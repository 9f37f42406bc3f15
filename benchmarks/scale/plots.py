"""Plot the simulation. Only benchmarks/requirements-report.txt has matplotlib."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np

from benchmarks.scale import erlang
from benchmarks.scale.account import COLD, GATEWAY_REFUSED, LAMBDA_REFUSED, wait
from benchmarks.scale.simulation import SEED, VOLUMES, ServiceTimes, run_archive, simulate
from scripts import prices

matplotlib.use("Agg")
from matplotlib import pyplot

# Okabe and Ito's colours, which colour-blind readers can distinguish.
BLUE, ORANGE, GREEN, RED, GRAY = "#0072B2", "#E69F00", "#009E73", "#D55E00", "#777777"
SIZE = (9.0, 4.2)
DPI = 110


def draw(folder: Path, times: ServiceTimes) -> list[Path]:
    """Draw all plots as PNG files in a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    drawings: dict[str, Callable[[Any, Any, ServiceTimes], None]] = {
        "scale-spike.png": _spike,
        "scale-channels.png": _channels,
        "scale-queue.png": _queue,
    }
    paths = []
    for name, drawing in drawings.items():
        figure, axes = pyplot.subplots(1, 2, figsize=SIZE, dpi=DPI, layout="constrained")
        drawing(axes[0], axes[1], times)
        for each in axes:
            each.spines[["top", "right"]].set_visible(False)
            each.grid(alpha=0.25)
        figure.savefig(folder / name)
        pyplot.close(figure)
        paths.append(folder / name)
    return paths


def _spike(left: Any, right: Any, times: ServiceTimes) -> None:  # noqa: ANN401  matplotlib's axes
    """Plot requests per second and environments, around a spike that exceeds raised quotas."""
    outcome = simulate("spike x100", VOLUMES[2], "quotas raised", times).outcome
    begin = float(outcome.arrival[np.argmax(outcome.status == LAMBDA_REFUSED)])
    edges = np.arange(begin - 4, begin + 22, 0.5)
    middles = (edges[1:] + edges[:-1]) / 2 - begin
    kinds = (
        ("answered", outcome.is_answered, BLUE),
        ("of these, by a new environment", outcome.status == COLD, GREEN),
        ("refused by Lambda", outcome.status == LAMBDA_REFUSED, RED),
        ("refused by the gateway", outcome.status == GATEWAY_REFUSED, GRAY),
    )
    for name, chosen, colour in kinds:
        counts, _ = np.histogram(outcome.arrival[chosen], edges)
        if counts.any():
            left.plot(middles, counts / 0.5 / 1000, label=name, color=colour)
    left.set(xlabel="seconds from the first refusal", ylabel="thousand requests per second")
    left.set_title("A spike of a hundred times the rate")
    left.set_ylim(top=75)
    left.legend(frameon=False, loc="upper right")
    inside = (outcome.arrival >= edges[0]) & (outcome.arrival <= edges[-1])
    right.plot(outcome.arrival[inside] - begin, outcome.busy[inside], color=BLUE, linewidth=0.8)
    right.set(xlabel="seconds from the first refusal", ylabel="busy environments")
    right.set_title("1,000 at once, 100 more per second")


def _channels(left: Any, right: Any, times: ServiceTimes) -> None:  # noqa: ANN401
    """Plot the cost of each way to send pictures, and the duration of an archive."""
    channels: tuple[tuple[str, Callable[[int], prices.Items], str], ...] = (
        ("as they arrive (queue)", lambda n: prices.arrival_dollars(n, times.mean_ms), ORANGE),
        ("API, one per request", lambda n: prices.api_dollars(n, times.mean_ms), RED),
        ("archive (state machine)", lambda n: prices.bulk_dollars(n, times.mean_ms), BLUE),
        ("API, ten per request", lambda n: prices.api_dollars(n, times.mean_ms, 10), GREEN),
    )
    volumes = np.geomspace(VOLUMES[0], VOLUMES[-1], 21)
    for name, dollars, colour in channels:
        amounts = [sum(dollars(int(volume)).values()) for volume in volumes]
        left.loglog(volumes / 1e6, amounts, label=name, color=colour)
    left.set(xlabel="million pictures", ylabel="dollars")
    left.set_title("Cost of each way to send")
    left.legend(frameon=False)
    concurrencies = (10, 20, 50, 100, 200, 500, 1000)
    for volume, colour in zip(VOLUMES, (GREEN, BLUE, RED), strict=True):
        hours = [run_archive(volume, each, times).hours for each in concurrencies]
        right.loglog(
            concurrencies, hours, marker="o", label=f"{volume // 1_000_000} million", color=colour
        )
    right.set(xlabel="concurrent batches (BulkConcurrency)", ylabel="hours")
    right.set_title("Time for an archive")
    right.legend(frameon=False)


def _queue(left: Any, right: Any, times: ServiceTimes) -> None:  # noqa: ANN401
    """Plot the simulation against Erlang's formula, and the measured service times."""
    generator = np.random.default_rng(SEED)
    loads = np.linspace(0.7, 0.95, 6)
    for servers, colour in ((1, RED), (5, ORANGE), (50, BLUE)):
        simulated = []
        for load in loads:
            arrival = np.cumsum(generator.exponential(1 / (load * servers), 200_000))
            service = generator.exponential(1.0, 200_000)
            waited = wait(arrival, service, servers).seconds - service
            simulated.append(float(waited[20_000:].mean()))
        exact = [erlang.mean_wait(servers, load * servers, 1.0) for load in loads]
        left.semilogy(loads, exact, color=colour, label=f"{servers} servers, Erlang C")
        left.semilogy(loads, simulated, "o", color=colour, markersize=4)
    left.set(xlabel="utilisation", ylabel="mean wait, in service times")
    left.set_title("Simulated (dots) and closed form (lines)")
    left.legend(frameon=False)
    right.hist(times.values_ms, bins=40, color=BLUE)
    right.axvline(times.mean_ms, color=RED, label=f"mean {times.mean_ms:.0f} ms")
    right.set(xlabel="ms on one core", ylabel="measurements")
    right.set_title("Service times, measured")
    right.legend(frameon=False)
