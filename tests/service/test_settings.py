from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import pytest

from service.settings import Settings, SettingsError

DEFAULTS = {
    "base_model_path": Path("/tmp/matchvec/models"),  # noqa: S108  the one folder that Lambda lets us write to
    "model_uri": "",
    "detection_model": "vehicle_detector",
    "classification_models": ("vehicle_attributes",),
    "detection_threshold": 0.4,
    "detection_iou_threshold": 0.9,
    "detection_size_threshold": 0.005,
    "min_threshold": 0.01,
    "max_classified_per_picture": 20,
    "max_classified_per_request": 100,
    "max_cpu_seconds": 8,
    "max_pixels": 50_000_000,
    "max_request_bytes": 6_291_456,
    "max_images": 32,
    "max_urls": 8,
    "max_url_bytes": 10_485_760,
    "url_timeout_seconds": 5,
    "url_fetch": True,
    "url_allowed_hosts": frozenset(),
    "upload_bucket": "",
    "max_upload_bytes": 52_428_800,
    "deadline_seconds": 28,
    "cors_origin": "*",
    "metrics_namespace": "",
    "api_key_secret": "",
    "function_version": "",
    "memory_mb": 0,
}


def test_defaults() -> None:
    assert asdict(Settings.from_environment({})) == DEFAULTS


def test_an_empty_variable_counts_as_not_set() -> None:
    environ = {name.upper(): " " for name in DEFAULTS} | {"CLASSIFICATION_MODEL": ""}

    assert asdict(Settings.from_environment(environ)) == DEFAULTS


CHANGES = {
    "BASE_MODEL_PATH": ("/opt/models", "base_model_path", Path("/opt/models")),
    "MODEL_URI": ("s3://bucket/prefix", "model_uri", "s3://bucket/prefix"),
    "DETECTION_MODEL": ("yolox_nano", "detection_model", "yolox_nano"),
    "CLASSIFICATION_MODEL": ("make, colour,", "classification_models", ("make", "colour")),
    "DETECTION_THRESHOLD": ("0.01", "detection_threshold", 0.01),
    "DETECTION_IOU_THRESHOLD": ("1", "detection_iou_threshold", 1.0),
    "DETECTION_SIZE_THRESHOLD": ("0.01", "detection_size_threshold", 0.01),
    "MIN_THRESHOLD": ("0.2", "min_threshold", 0.2),
    "MAX_CLASSIFIED_PER_PICTURE": ("1", "max_classified_per_picture", 1),
    "MAX_CLASSIFIED_PER_REQUEST": ("7", "max_classified_per_request", 7),
    "MAX_CPU_SECONDS": ("2.5", "max_cpu_seconds", 2.5),
    "MAX_PIXELS": ("1000", "max_pixels", 1000),
    "MAX_REQUEST_BYTES": ("1000", "max_request_bytes", 1000),
    "MAX_IMAGES": ("1", "max_images", 1),
    "MAX_URLS": ("0", "max_urls", 0),
    "MAX_URL_BYTES": ("1000", "max_url_bytes", 1000),
    "URL_TIMEOUT_SECONDS": ("2.5", "url_timeout_seconds", 2.5),
    "URL_FETCH": ("off", "url_fetch", False),
    "UPLOAD_BUCKET": ("my-uploads", "upload_bucket", "my-uploads"),
    "MAX_UPLOAD_BYTES": ("1000", "max_upload_bytes", 1000),
    "URL_ALLOWED_HOSTS": (
        "A.example, *.b.example,",
        "url_allowed_hosts",
        frozenset({"a.example", "*.b.example"}),
    ),
    "DEADLINE_SECONDS": ("10", "deadline_seconds", 10.0),
    "CORS_ORIGIN": ("https://app.example", "cors_origin", "https://app.example"),
    "METRICS_NAMESPACE": ("Matchvec", "metrics_namespace", "Matchvec"),
    "API_KEY_SECRET": ("abc", "api_key_secret", "abc"),
    "AWS_LAMBDA_FUNCTION_VERSION": ("7", "function_version", "7"),
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": ("2048", "memory_mb", 2048),
    "BACKEND": ("onnx", "max_urls", 8),
}


@pytest.mark.parametrize(("name", "change"), CHANGES.items(), ids=CHANGES)
def test_variable(name: str, change: tuple[str, str, object]) -> None:
    text, field, value = change

    assert asdict(Settings.from_environment({name: text})) == {**DEFAULTS, field: value}


INVALID = {
    "another backend": ("BACKEND", "torch"),
    "a word": ("DETECTION_THRESHOLD", "high"),
    "a percentage": ("DETECTION_THRESHOLD", "40"),
    "below MIN_THRESHOLD": ("DETECTION_THRESHOLD", "0.001"),
    "above DETECTION_THRESHOLD": ("MIN_THRESHOLD", "0.5"),
    "not a number": ("DETECTION_THRESHOLD", "nan"),
    "negative": ("MAX_URLS", "-1"),
    "a fraction": ("MAX_PIXELS", "1e6"),
    "neither on nor off": ("URL_FETCH", "false"),
    "a url for a host": ("URL_ALLOWED_HOSTS", "a.example,http://b.example"),
    "no host": ("URL_ALLOWED_HOSTS", " , "),
    "every host": ("URL_ALLOWED_HOSTS", "*"),
    "a port": ("URL_ALLOWED_HOSTS", "a.example:80"),
    "a star within": ("URL_ALLOWED_HOSTS", "a.*.example"),
    "accents": ("URL_ALLOWED_HOSTS", "bücher.example"),
    "no time": ("DEADLINE_SECONDS", "0"),
}


@pytest.mark.parametrize(("name", "text"), INVALID.values(), ids=INVALID)
def test_an_invalid_value_names_the_variable(name: str, text: str) -> None:
    with pytest.raises(SettingsError, match=name):
        Settings.from_environment({name: text})


WORKERS = {
    "outside of Lambda, one per core": ("", 4, 4),
    "the smallest function": ("128", 2, 1),
    "one vCPU": ("1769", 2, 1),
    "less than one and a half": ("2600", 2, 1),
    "nearly two": ("3008", 2, 2),
    "the largest": ("10240", 6, 6),
    "fewer cores than the memory would give": ("10240", 2, 2),
}


@pytest.mark.parametrize(("memory", "cores", "workers"), WORKERS.values(), ids=WORKERS)
def test_workers(memory: str, cores: int, workers: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda _: set(range(cores)))
    settings = Settings.from_environment({"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": memory})

    assert settings.workers == workers
