"""docs/scale.md agrees with prices, simulation and code."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from benchmarks.scale import __main__ as report
from benchmarks.scale.simulation import VOLUMES, load_times, run_archive, simulate
from scripts import cost, prices
from scripts.deployment.parameters import declared_parameters
from service.batch import s3_objects as objects

ROOT = Path(__file__).parent.parent.parent
TEXT = (ROOT / "docs" / "scale.md").read_text(encoding="utf-8")
TIMES = load_times(report.TIMES)


def test_a_million_by_archive_by_hand() -> None:
    by_hand = (
        20_000 * 25e-6  # two transitions for each of 10,000 batches
        + (1_000_000 + 10_000) * 0.4e-6  # reads
        + (10_000 + 1_000) * 5e-6  # writes and lists
        + 10_000 * 0.2e-6  # calls
        + 1_000_000 * 0.020 * 1769 / 1024 * 0.0000133334
    )
    assert sum(prices.bulk_dollars(1_000_000).values()) == pytest.approx(by_hand)


def test_a_million_by_api_matches_the_documents() -> None:
    dollars = cost.dollars_per_million(prices.CORE_MS, prices.MEMORY_MB, "arm64")
    assert sum(prices.api_dollars(1_000_000).values()) == pytest.approx(dollars)


def test_the_same_seed_gives_the_same_figures() -> None:
    first = simulate("steady", VOLUMES[0], "as deployed", TIMES)
    assert f"{report.api_table([first])}".splitlines()[-1] in TEXT
    archive = run_archive(VOLUMES[0], 50, TIMES)
    assert report.archive_table([archive]).splitlines()[-1] in TEXT


@pytest.mark.slow
def test_all_tables_match_the_simulation() -> None:
    assert report.api_table(report.days(TIMES)) in TEXT
    assert report.archive_table(report.archives(TIMES)) in TEXT


def test_every_code_is_explained() -> None:
    classes = [
        each
        for each in vars(objects).values()
        if isinstance(each, type) and issubclass(each, objects.ObjectError) and "code" in vars(each)
    ]
    assert len(classes) == 6
    for each in classes:
        assert f"| `{each.code}` | {'final' if each.is_final else 'retried'} |" in TEXT


def test_parameters_exist() -> None:
    shown = re.findall(r"--parameter-overrides ([^\n]+)", TEXT)
    named = {pair.partition("=")[0] for line in shown for pair in line.split()}
    assert named <= set(declared_parameters())


def test_commands_exist() -> None:
    script = (ROOT / "scripts" / "bulk.sh").read_text()
    for command in re.findall(r"scripts/bulk\.sh ([a-z]+)", TEXT):
        assert f"scripts/bulk.sh {command}" in script
    for option in re.findall(r"`(--[a-z-]+)", TEXT):
        assert option in script


def test_plots_exist() -> None:
    images = re.findall(r"\]\((images/[^)]+)\)", TEXT)
    assert len(images) == 3
    assert all((ROOT / "docs" / image).is_file() for image in images)
