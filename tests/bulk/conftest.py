from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.archive import Archive, archive_in_moto


@pytest.fixture
def archive(monkeypatch: pytest.MonkeyPatch) -> Iterator[Archive]:
    with archive_in_moto(monkeypatch) as made:
        yield made
