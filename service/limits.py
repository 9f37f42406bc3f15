"""The work that one request may cause, by the configuration."""

from __future__ import annotations

from inference.budget import RequestBudget
from service.settings import Settings


def request_budget(settings: Settings, *, is_drawn: bool = False) -> RequestBudget:
    """Return the work that a request may cause.

    A picture of an archive counts as a request, so that its row is what the API answers.
    """
    return RequestBudget(
        max_ms=1000 * settings.max_cpu_seconds,
        crops_per_picture=settings.max_classified_per_picture,
        crops=settings.max_classified_per_request,
        is_drawn=is_drawn,
    )
