"""FastAPI as in its documentation: `UploadFile` and `Form` in a plain `def`.

uvicorn benchmarks.contestants.fastapi_app:app --workers 2
"""

from typing import Annotated, Any

import httpx
from fastapi import FastAPI, File, Form, UploadFile

from benchmarks.contestants.options import session_options
from benchmarks.contestants.plain import PlainModels

app = FastAPI()
models = PlainModels(options=session_options())

Images = Annotated[list[UploadFile], File()]
Urls = Annotated[list[str], Form()]


def _contents(image: list[UploadFile], url: list[str]) -> list[bytes]:
    files = [each.file.read() for each in image]
    return files + [httpx.get(each, timeout=5).content for each in url]


@app.post("/object_detection")
def object_detection(image: Images = [], url: Urls = []) -> list[Any]:  # noqa: B006  FastAPI's idiom
    """Return the objects of every picture."""
    return [models.detect(content) for content in _contents(image, url)]


@app.post("/predict")
def predict(image: Images = [], url: Urls = []) -> list[Any]:  # noqa: B006  as above
    """Return the classified vehicles of every picture."""
    return [models.predict(content) for content in _contents(image, url)]
