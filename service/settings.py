"""Configuration, read from environment variables once at startup."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

Value = TypeVar("Value", int, float)

HOST_PATTERN = re.compile(r"(\*\.)?[a-z0-9-]+(\.[a-z0-9-]+)+")
"""Host names in ASCII: letters outside of it are written with `xn--`."""

MB_PER_VCPU = 1769
"""Megabytes of memory per processor: "At 1,769 MB, a function has the equivalent of one vCPU"
(https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html)."""

BUNDLED_MODELS = Path(__file__).parent.parent / "models"


class SettingsError(Exception):
    """An environment variable is invalid; the message names the variable and its range.

    It stops the function at startup, so that a mistake shows at deployment.
    """


@dataclass(frozen=True, slots=True)
class Settings:
    """Configuration of the function; docs/configuration.md is generated from it.

    Attributes:
        base_model_path: Folder of your own models.
        model_uri: ``s3://bucket/prefix`` of models to download; empty for none.
        detection_model: Name of the detector.
        classification_models: Names of the classifiers, separated by commas, the main one first.
        detection_threshold: Lowest score of a detection.
        detection_iou_threshold: IoU above which a car and a truck are one vehicle, the car.
        detection_size_threshold: Smallest box, as a share of the picture's area.
        min_threshold: Lower bound of the option `threshold`.
        max_classified_per_picture: Vehicles of one picture that are classified, highest scores
            first.
        max_classified_per_request: Vehicles of one request that are classified.
        max_cpu_seconds: Estimated seconds of one core that a request's pictures may take together;
            small requests may take less.
        max_pixels: Pixels of the largest picture, width times height.
        max_request_bytes: Size of the largest body as Lambda counts it: in base64, or of text.
        max_images: Pictures per request: files, urls and uploads.
        max_urls: Urls per request.
        max_url_bytes: Size of the largest download in bytes.
        url_timeout_seconds: Timeout of one download in seconds, from name look-up to last byte.
        url_fetch: ``on`` or ``off``. With ``off``, every url fails with ``url_not_allowed``.
        url_allowed_hosts: Hosts of urls, separated by commas, ``*.a.example`` for all subdomains;
            empty for all public hosts.
        upload_bucket: Bucket for large pictures; without it, ``/uploads`` is an ``unknown_route``.
        max_upload_bytes: Size of the largest picture in that bucket, in bytes.
        deadline_seconds: Time limit of a request in seconds. Later pictures fail with
            ``deadline_exceeded``. API Gateway's own limit is 29.
        cors_origin: Origin whose scripts may read answers in a browser, or ``*``.
        metrics_namespace: Namespace of the metrics in CloudWatch; without it, there are no metrics.
        api_key_secret: Key that clients must send in ``x-api-key`` with POST; empty for none.
        function_version: Version of the Lambda function; "" elsewhere.
        memory_mb: Memory of the function, which determines its processors; 0 outside of Lambda.
    """

    base_model_path: Path
    model_uri: str
    detection_model: str
    classification_models: tuple[str, ...]
    detection_threshold: float
    detection_iou_threshold: float
    detection_size_threshold: float
    min_threshold: float
    max_classified_per_picture: int
    max_classified_per_request: int
    max_cpu_seconds: float
    max_pixels: int
    max_request_bytes: int
    max_images: int
    max_urls: int
    max_url_bytes: int
    url_timeout_seconds: float
    url_fetch: bool
    url_allowed_hosts: frozenset[str]
    upload_bucket: str
    max_upload_bytes: int
    deadline_seconds: float
    cors_origin: str
    metrics_namespace: str
    api_key_secret: str = field(repr=False)
    function_version: str
    memory_mb: int

    @property
    def workers(self) -> int:
        """Number of processors, as far as the function's memory pays for them."""
        if not self.memory_mb:
            return _cores()
        return max(1, min(_cores(), round(self.memory_mb / MB_PER_VCPU)))

    def __post_init__(self) -> None:
        """Check that a request without the option `threshold` keeps its lower bound, too.

        Raises:
            SettingsError: It does not.
        """
        if self.detection_threshold < self.min_threshold:
            raise SettingsError(
                f"DETECTION_THRESHOLD={self.detection_threshold:g} must be at least "
                f"MIN_THRESHOLD={self.min_threshold:g}. Raise the first or lower the second."
            )

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> Settings:
        """Read and check all variables. An empty variable counts as not set.

        Raises:
            SettingsError: A variable is invalid.
        """
        text = EnvironmentReader(environ).text
        number = EnvironmentReader(environ).number
        integer = EnvironmentReader(environ).integer
        if text("BACKEND", "onnx") != "onnx":
            raise SettingsError("BACKEND must be onnx, the only backend.")
        classifiers = text("CLASSIFICATION_MODEL", "vehicle_attributes").split(",")
        return cls(
            base_model_path=Path(text("BASE_MODEL_PATH", "/tmp/matchvec/models")),  # noqa: S108  the only writable folder on Lambda
            model_uri=text("MODEL_URI", ""),
            detection_model=text("DETECTION_MODEL", "vehicle_detector"),
            classification_models=tuple(name.strip() for name in classifiers if name.strip()),
            detection_threshold=number("DETECTION_THRESHOLD", 0.4, 0, 1),
            detection_iou_threshold=number("DETECTION_IOU_THRESHOLD", 0.9, 0, 1),
            detection_size_threshold=number("DETECTION_SIZE_THRESHOLD", 0.005, 0, 1),
            min_threshold=number("MIN_THRESHOLD", 0.01, 0, 1),
            max_classified_per_picture=integer("MAX_CLASSIFIED_PER_PICTURE", 20, 1, 100),
            max_classified_per_request=integer("MAX_CLASSIFIED_PER_REQUEST", 100, 1, 100_000),
            max_cpu_seconds=number("MAX_CPU_SECONDS", 8, 0.1, 900),
            max_pixels=integer("MAX_PIXELS", 50_000_000, 1, 1_000_000_000),
            max_request_bytes=integer("MAX_REQUEST_BYTES", 6_291_456, 1, 1_000_000_000),
            max_images=integer("MAX_IMAGES", 32, 1, 1000),
            max_urls=integer("MAX_URLS", 8, 0, 1000),
            max_url_bytes=integer("MAX_URL_BYTES", 10_485_760, 1, 1_000_000_000),
            url_timeout_seconds=number("URL_TIMEOUT_SECONDS", 5, 0.1, 900),
            url_fetch=_switch(text("URL_FETCH", "on")),
            url_allowed_hosts=_hosts(text("URL_ALLOWED_HOSTS", "")),
            upload_bucket=text("UPLOAD_BUCKET", ""),
            max_upload_bytes=integer("MAX_UPLOAD_BYTES", 52_428_800, 1, 1_000_000_000),
            deadline_seconds=number("DEADLINE_SECONDS", 28, 0.1, 900),
            cors_origin=text("CORS_ORIGIN", "*"),
            metrics_namespace=text("METRICS_NAMESPACE", ""),
            api_key_secret=text("API_KEY_SECRET", ""),
            function_version=text("AWS_LAMBDA_FUNCTION_VERSION", ""),
            memory_mb=integer("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", 0, 0, 1_000_000),
        )


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1


def _switch(text: str) -> bool:
    if text not in ("on", "off"):
        raise SettingsError(f"URL_FETCH={text[:40]!r} must be on or off.")
    return text == "on"


def _hosts(text: str) -> frozenset[str]:
    hosts = frozenset(host.strip().lower() for host in text.split(",") if host.strip())
    wrong = sorted(host for host in hosts if not HOST_PATTERN.fullmatch(host))
    # A list without names, such as ",", would allow every host.
    if wrong or (text and not hosts):
        raise SettingsError(
            f"URL_ALLOWED_HOSTS: {(wrong or [text])[0][:80]!r} must be a host name such as "
            "a.example, or *.a.example for its subdomains, without scheme, port or path."
        )
    return hosts


@dataclass(frozen=True, slots=True)
class EnvironmentReader:
    """Reads environment variables. An empty variable counts as not set.

    Attributes:
        environ: Environment variables.
    """

    environ: Mapping[str, str]

    def text(self, name: str, default: str) -> str:
        """Return a text."""
        return self.environ.get(name, "").strip() or default

    def number(self, name: str, default: float, low: float, high: float) -> float:
        """Return a number; raise SettingsError unless it is from `low` to `high`."""
        return self._parsed(name, float, default, low, high)

    def integer(self, name: str, default: int, low: int, high: int) -> int:
        """Return a whole number; raise SettingsError unless it is from `low` to `high`."""
        return self._parsed(name, int, default, low, high)

    def _parsed(
        self, name: str, parse: Callable[[str], Value], default: Value, low: Value, high: Value
    ) -> Value:
        text = self.text(name, "")
        if not text:
            return default
        try:
            value = parse(text)
        except ValueError:
            value = None
        if value is None or not low <= value <= high:
            kind = "a whole number" if parse is int else "a number"
            raise SettingsError(f"{name}={text[:40]!r} must be {kind} from {low} to {high}.")
        return value
