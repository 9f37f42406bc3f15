"""Views of results: drawn pictures, crops, tables and HTML. The optional packages load here."""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from matchvec_client import draw as drawing
from matchvec_client import images
from matchvec_client.errors import ExtraMissing, MatchvecError, UsageError
from matchvec_client.output import CSV_FIELDS, flat_rows
from matchvec_client.sources import Given, expand
from matchvec_client.types import Picture

if TYPE_CHECKING:
    import pandas
    import supervision
    from PIL.Image import Image

PREVIEW_SIDE = 480
"""Longer side of a picture in a notebook, in pixels."""


def draw(picture: Picture, image: Given | None = None) -> Image:
    """Return a copy of the picture with boxes and labels; see `Picture.draw`."""
    canvas = _opened(picture, image)
    drawing.draw(canvas, picture.predictions)
    return canvas


def crop(picture: Picture, image: Given | None = None, margin: float = 0.0) -> list[Image]:
    """Return one image per prediction; see `Picture.crop`."""
    if margin < 0:
        raise UsageError(f"margin={margin:g} is out of range. Use 0 or more.")
    whole = _opened(picture, image)
    crops = []
    for x1, y1, x2, y2 in (found.box_xyxy for found in picture.predictions):
        extra_x, extra_y = round((x2 - x1) * margin), round((y2 - y1) * margin)
        box_xyxy = (
            max(0, x1 - extra_x),
            max(0, y1 - extra_y),
            min(whole.width, x2 + extra_x),
            min(whole.height, y2 + extra_y),
        )
        crops.append(whole.crop(box_xyxy))
    return crops


def to_dataframe(pictures: Iterable[Picture]) -> pandas.DataFrame:
    """Return a pandas DataFrame with one row per object.

    A picture without objects has one row; the row of a failed one has its code in `error`. The
    columns are those of the CSV format; `pred` and `prob` hold lists.

    Args:
        pictures: Results of `predict` or `detect`.

    Raises:
        ExtraMissing: pandas is not installed.
    """
    try:
        import pandas
    except ImportError as error:
        raise _missing("to_dataframe()", "pandas", "dataframe") from error
    rows = [row for picture in pictures for row in flat_rows(picture.to_dict())]
    return pandas.DataFrame(rows, columns=list(CSV_FIELDS))


def to_supervision(
    picture: Picture, class_names: Sequence[str] | None = None
) -> supervision.Detections:
    """Return `supervision.Detections`; see `Picture.to_supervision`."""
    try:
        import numpy
        import supervision
    except ImportError as error:
        raise _missing("to_supervision()", "supervision", "supervision") from error
    found = picture.predictions
    if not found:
        return supervision.Detections.empty()
    names = list(class_names or dict.fromkeys(each.class_name for each in found))
    if unknown := sorted({each.class_name for each in found} - {*names}):
        raise UsageError(f"class_names lacks {', '.join(unknown)}. Add them.")
    return supervision.Detections(
        xyxy=numpy.array([each.box_xyxy for each in found], dtype=numpy.float32),
        confidence=numpy.array([each.confidence for each in found], dtype=numpy.float32),
        class_id=numpy.array([names.index(each.class_name) for each in found]),
        data={
            "class_name": numpy.array([each.class_name for each in found]),
            "label": numpy.array([each.label for each in found]),
        },
    )


def to_html(picture: Picture) -> str:
    """Return HTML for notebooks: a preview with boxes, if the picture can be read, and a table."""
    name = html.escape(picture.name)
    if picture.error:
        code, message = html.escape(picture.error.code), html.escape(picture.error.message)
        return f"<p><strong>{name}</strong>: {message} (<code>{code}</code>)</p>"
    rows = "".join(
        f"<tr><td>{number}</td><td>{html.escape(found.label)}</td>"
        f"<td>{html.escape(found.class_name)} {found.confidence:.3f}</td>"
        f"<td>{' '.join(map(str, found.box_xyxy))}</td></tr>"
        for number, found in enumerate(picture.predictions, start=1)
    )
    head = "<tr><th>#</th><th>label</th><th>detection</th><th>box_xyxy</th></tr>"
    table = f"<table>{head}{rows}</table>" if rows else "<p>Nothing found.</p>"
    return f"<figure><figcaption>{name}</figcaption>{_preview(picture)}{table}</figure>"


def _preview(picture: Picture) -> str:
    try:
        drawn = draw(picture)
    except MatchvecError:
        return ""
    drawn.thumbnail((PREVIEW_SIDE, PREVIEW_SIDE))
    buffer = io.BytesIO()
    drawn.save(buffer, "JPEG", quality=85)
    encoded = base64.b64encode(buffer.getvalue()).decode()
    return f'<img alt="{html.escape(picture.name)}" src="data:image/jpeg;base64,{encoded}">'


def _opened(picture: Picture, image: Given | None) -> Image:
    """Decode the picture, or the `image` that the caller passes in its place."""
    images.require_pillow("This")
    source = picture.source if image is None else expand(image, channel_order="RGB")[0]
    if source is None or source.is_url:
        raise UsageError(f"{picture.name} is not on this computer. Pass it as `image`.")
    try:
        content = source.path.read_bytes() if source.path else source.content or b""
        return images.open_upright(content)
    except (OSError, images.CannotDecode) as error:
        raise UsageError(f"{picture.name} cannot be read: {error}") from error


def _missing(what: str, package: str, extra: str) -> ExtraMissing:
    return ExtraMissing(f"{what} needs {package}: pip install 'matchvec-client[{extra}]'")
