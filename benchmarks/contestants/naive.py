"""The handler as the article describes it: requests-toolbelt, base64, Pillow, OpenCV, one by one.

    event -> base64.b64decode -> MultipartDecoder -> Pillow -> OpenCV -> session.run -> json.dumps

In our words, it takes the steps of the one that was published and imports what that imports
(https://github.com/ia-flash/matchvec, aws_lambda/lambda_function.py), but for pandas: the whole
picture is decoded by Pillow, copied into an array, given OpenCV's order of colours and resized by
OpenCV; sessions have their defaults; urls are read by `urlopen`. What such handlers often get wrong
(colour order, EXIF, boxes) is right here: the contest is about time.
"""

from __future__ import annotations

import base64
import json
import urllib.request
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image
from requests_toolbelt.multipart.decoder import MultipartDecoder

from benchmarks.contestants.plain import PlainModels


class NaiveModels(PlainModels):
    """The two embedded models, whose pictures OpenCV prepares."""

    def _resized_bgr(self, image: Image.Image, size_wh: tuple[int, int]) -> NDArray[np.uint8]:
        image_bgr = cv2.cvtColor(np.array(image), cv2.COLOR_RGB2BGR)
        return np.asarray(cv2.resize(image_bgr, size_wh), np.uint8)


models = NaiveModels()


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Answer an API Gateway event."""
    body = base64.b64decode(event["body"])
    answer = models.predict if event["path"] == "/predict" else models.detect
    parts = MultipartDecoder(body, event["headers"]["Content-Type"]).parts
    results = []
    for part in parts:
        content = part.content
        if b'name="url"' in part.headers[b"Content-Disposition"]:
            with urllib.request.urlopen(content.decode(), timeout=5) as response:  # noqa: S310  loopback only
                content = response.read()
        results.append(answer(content))
    headers = {"Content-Type": "application/json", "Access-Control-Allow-Origin": "*"}
    return {"statusCode": 200, "headers": headers, "body": json.dumps(results)}
