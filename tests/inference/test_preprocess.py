from __future__ import annotations

import numpy as np
import pytest

from inference.preprocess import Placement, prepare
from tests.support.models import input_spec
from tests.support.pictures import blank

RED = np.full((4, 4, 3), (255, 0, 0), dtype=np.uint8)

LAYOUTS = {
    "NCHW, RGB": ({"layout": "NCHW", "color": "RGB"}, (1, 3, 4, 4), [255, 0, 0]),
    "NCHW, BGR": ({"layout": "NCHW", "color": "BGR"}, (1, 3, 4, 4), [0, 0, 255]),
}


@pytest.mark.parametrize(("changes", "shape", "pixel"), LAYOUTS.values(), ids=LAYOUTS)
def test_channels_first(
    changes: dict[str, str], shape: tuple[int, ...], pixel: list[float]
) -> None:
    tensor, _ = prepare(RED, input_spec(**changes))

    assert tensor.shape == shape
    assert tensor.dtype == np.float32
    assert tensor.flags.c_contiguous
    assert tensor[0, :, 0, 0].tolist() == pixel


def test_channels_last() -> None:
    tensor, _ = prepare(RED, input_spec(layout="NHWC", dtype="uint8"))

    assert tensor.shape == (1, 4, 4, 3)
    assert tensor.dtype == np.uint8
    assert tensor[0, 0, 0].tolist() == [255, 0, 0]


def test_normalisation_is_in_the_manifest_s_colour_order() -> None:
    spec = input_spec(color="BGR", scale=1 / 255, mean=(0.5, 0.25, 0.0), std=(0.5, 1.0, 2.0))
    tensor, _ = prepare(RED, spec)

    np.testing.assert_allclose(tensor[0, :, 0, 0], [-1.0, -0.25, 0.5], atol=1e-6)


def test_half_precision() -> None:
    tensor, _ = prepare(RED, input_spec(dtype="float16"))

    assert tensor.dtype == np.float16


def test_double_precision() -> None:
    tensor, _ = prepare(RED, input_spec(dtype="float64", scale=1 / 255))

    assert tensor.dtype == np.float64
    np.testing.assert_allclose(tensor[0, :, 0, 0], [1, 0, 0], atol=1e-6)


def test_signed_bytes_are_rounded_and_clipped() -> None:
    shifted, _ = prepare(RED, input_spec(dtype="int8", mean=(128, 128, 128)))
    unshifted, _ = prepare(RED, input_spec(dtype="int8", mean=(0.4, 0.4, 0.4)))

    assert shifted.dtype == np.int8
    assert shifted[0, :, 0, 0].tolist() == [127, -128, -128]
    assert unshifted[0, :, 0, 0].tolist() == [127, 0, 0]


RESIZES = {
    "stretch": ({"resize": "stretch"}, (0.5, 1.0), (0, 0), [[9, 9, 9, 9]] * 4),
    "letterbox, top left": (
        {"resize": "letterbox", "anchor": "top-left", "pad_value": 114},
        (0.5, 0.5),
        (0, 0),
        [[9, 9, 9, 9], [9, 9, 9, 9], [114] * 4, [114] * 4],
    ),
    "letterbox, centred": (
        {"resize": "letterbox", "anchor": "center", "pad_value": 1},
        (0.5, 0.5),
        (0, 1),
        [[1] * 4, [9] * 4, [9] * 4, [1] * 4],
    ),
    "square pad": (
        {"resize": "square-pad", "anchor": "top-left"},
        (0.5, 0.5),
        (0, 1),
        [[0] * 4, [9] * 4, [9] * 4, [0] * 4],
    ),
}


@pytest.mark.parametrize(
    ("changes", "scale_xy", "offset_xy", "gray"), RESIZES.values(), ids=RESIZES
)
def test_resize(
    changes: dict[str, object],
    scale_xy: tuple[float, float],
    offset_xy: tuple[float, float],
    gray: list[list[int]],
) -> None:
    tensor, placement = prepare(blank(8, 4, 9), input_spec(**changes))

    assert placement == Placement((4, 4), scale_xy, offset_xy)
    assert tensor[0, 0].tolist() == gray


def test_a_box_is_placed_by_the_size_that_the_picture_really_got() -> None:
    # 7x5 into 4x4: 4 x 2.857 pixels, which become 4x3.
    _, placement = prepare(blank(7, 5), input_spec(resize="letterbox", anchor="top-left"))

    assert placement == Placement((4, 4), (4 / 7, 3 / 5), (0, 0))


FRAMES = {
    "a wide picture": ((8, 3), "top-left", (8, 4), (0, 0)),
    "a high one": ((3, 8), "top-left", (4, 8), (0, 0)),
    "one that fills it": ((8, 8), "top-left", (8, 8), (0, 0)),
    "one that is a multiple": ((8, 2), "top-left", (8, 2), (0, 0)),
    "a row": ((800, 1), "top-left", (8, 2), (0, 0)),
    "centred": ((8, 5), "center", (8, 6), (0, 0)),
    "centred, with a row above": ((7, 3), "center", (8, 4), (0, 0)),
}


@pytest.mark.parametrize(
    ("picture_wh", "anchor", "input_wh", "offset_xy"), FRAMES.values(), ids=FRAMES
)
def test_a_letterbox_ends_at_a_multiple(
    picture_wh: tuple[int, int],
    anchor: str,
    input_wh: tuple[int, int],
    offset_xy: tuple[float, float],
) -> None:
    spec = input_spec(width=8, height=8, resize="letterbox", anchor=anchor, multiple=2)
    tensor, placement = prepare(blank(*picture_wh, 9), spec)

    assert placement.input_wh == input_wh
    assert placement.offset_xy == offset_xy
    assert tensor.shape == (1, 3, input_wh[1], input_wh[0])


def test_pictures_are_shrunk_by_averaging() -> None:
    stripes = blank(16, 16)
    stripes[:, ::2] = 100
    tensor, _ = prepare(stripes, input_spec())

    assert tensor.min() == tensor.max() == 50


EXTREMES = {"a row": (5000, 1), "a column": (1, 5000), "one pixel": (1, 1)}


@pytest.mark.parametrize("resize", ["stretch", "letterbox", "square-pad"])
@pytest.mark.parametrize(("width", "height"), EXTREMES.values(), ids=EXTREMES)
def test_extreme_shapes(width: int, height: int, resize: str) -> None:
    tensor, _ = prepare(blank(width, height, 7), input_spec(resize=resize))

    assert tensor.shape == (1, 3, 4, 4)
    assert tensor.max() == 7


def test_boxes_come_back_where_they_were() -> None:
    _, placement = prepare(blank(200, 100), input_spec(resize="letterbox", width=40, height=40))
    boxes_xyxy = placement.to_source(np.array([[0, 10, 40, 30], [10, 15, 20, 25]], np.float32))

    assert boxes_xyxy.tolist() == [[0, 0, 200, 100], [50, 25, 100, 75]]


def test_a_view_of_a_picture_is_not_changed() -> None:
    image_rgb = blank(8, 8, 5)
    prepare(image_rgb[2:6, 2:6], input_spec(color="BGR"))

    assert (image_rgb == 5).all()
