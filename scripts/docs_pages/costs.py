"""docs/costs.md, from the prices and the measured time in scripts/cost.py and scripts/prices.py."""

from __future__ import annotations

from scripts import cost, prices

PAGE = """\
# Costs

Idle time costs nothing. A request costs its front door, its Lambda request, and Lambda's time.

All figures are for a million pictures in us-east-1, without any free tier, at the list prices of
published copies of 2025-26, written down on {date}. Check the prices before you rely on them.
Lambda costs ${requests:.2f} per million requests, and per GB-second {gb_seconds}.

One picture takes {ms:.0f} ms of a core. This is the median processor time of the sample pictures
over the whole handler, measured on 2026-11-27 on an x86_64 server (AMD EPYC). It has not been
measured on Lambda, and arm64 is assumed to take as long. `python -m scripts.cost` measures your
machine.

## By front door

One picture per request, {memory} MB, arm64:

{front_doors}

An HTTP API counts every 512 KB of a request. Above 1.5 MB it costs more than a REST API.
Pictures in one request share its price: with ten pictures, the requests cost a tenth.

## By memory

One picture per request:

{memories}

## Ways to send pictures

{memory} MB, arm64, at most 512 KB per picture. [Archives](scale.md) explains the last three.

{ways}

The parts of an archive's price:

{archive}

The largest part of arrivals is one result object per picture, $5.00 per million. If the results can
wait, run the archive every night for a third of the price.

## The worst day

This is the bill of a day if attackers send the most expensive requests without a pause: 10 s of a
core each, at the REST API, {memory} MB, arm64. [Security of a public
deployment](public-deployment.md) explains the limits.

{worst}

WAF adds about $6 a month and $0.60 per million requests, by AWS's list prices.

## Further costs

- A cold start of 450 ms costs $0.000010 with 1769 MB on arm64. If 1 in 100 requests has one, a
  million requests cost $0.10 more.
- SnapStart costs about $0.0000015 per GB-second that a snapshot is kept (at least three hours) and
  $0.00014 per GB restored, according to a third party.
- CloudWatch bills logs by volume, and alarms, dashboards and custom metrics by the month. The
  function's metrics are the largest part; `MetricsNamespace=` (empty) turns them off.
- WAF is billed by rule, by month and by million requests.
- A million uploads of large pictures cost $3.70 for `/uploads` and $5.40 for S3 requests, and up to
  $30 of storage at 20 MB each.
- Archives: storage of results (about 90 bytes per picture), logs, and downloads. Pictures in
  another region or in Glacier cost their retrieval.
- Transfer to the internet. Answers are small.
"""


def page() -> str:
    """Return the page."""
    return PAGE.format(
        date=cost.PRICES_OF,
        requests=cost.LAMBDA_DOLLARS,
        gb_seconds=", ".join(
            f"${dollars:.10f} ({architecture})"
            for architecture, dollars in cost.DOLLARS_PER_GB_SECOND.items()
        ),
        ms=prices.CORE_MS,
        worst=cost.worst_table(),
        memory=cost.DEFAULT_MB,
        front_doors=cost.front_door_table(prices.CORE_MS),
        memories=cost.table(prices.CORE_MS),
        ways=prices.table(),
        archive=prices.breakdown(prices.bulk_dollars(1_000_000)),
    )
