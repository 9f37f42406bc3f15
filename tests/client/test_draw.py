from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from inference.annotate import color_of as colour_of_the_api
from matchvec_client import Picture, Prediction, UsageError
from matchvec_client.cli import main
from matchvec_client.draw import check_targets, colour_of, draw, save_annotated, target_of
from matchvec_client.images import CannotDecode, open_upright
from matchvec_client.shrink import shrink
from matchvec_client.sources import Source, expand
from tests.client.stub_api import StubApi
from tests.support.pictures import STORED, corners, encode


def found(x1: int, y1: int, x2: int, y2: int, name: str = "car") -> Prediction:
    return Prediction(x1, y1, x2, y2, name, 0.9, f"{name}: 0.9")


@pytest.mark.parametrize("name", ["car", "truck", "bus", "van", "person"])
def test_colours_are_the_apis(name: str) -> None:
    assert colour_of(found(0, 0, 1, 1, name)) == colour_of_the_api(name)


@pytest.mark.parametrize(
    "box",
    [(0, 0, 300, 200), (299, 199, 300, 200), (0, 190, 20, 200), (280, 0, 300, 9)],
    ids=str,
)
def test_a_box_and_its_label_stay_in_the_picture(box: tuple[int, int, int, int]) -> None:
    image = Image.new("RGB", (300, 200), "white")
    draw(image, [found(*box)])
    drawn = np.argwhere((np.asarray(image) != 255).any(axis=2))
    top, left = drawn.min(axis=0)
    bottom, right = drawn.max(axis=0)
    colour = colour_of(found(*box))

    assert image.getpixel((box[0], box[1])) == colour or image.getpixel((box[0], box[3] - 1)) == (
        colour
    )
    # The label has nine letters.
    assert right - left >= 30
    assert bottom - top >= 10


def test_two_labels_do_not_overlap() -> None:
    one, both = (Image.new("RGB", (300, 200), "white") for _ in range(2))
    draw(one, [found(50, 50, 250, 150)])
    draw(both, [found(50, 50, 250, 150), found(52, 52, 250, 150, "bus")])
    plate = np.asarray(one)[30:48, 52:90]

    assert (np.asarray(both)[30:48, 52:90] == plate).all()


def test_a_copy_is_upright(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    stored = corners().transpose(STORED[6] or Image.Transpose.ROTATE_90)
    path = tmp_path / "a.jpg"
    path.write_bytes(encode(stored, "JPEG", exif=exif))
    [source] = expand(path)
    target = tmp_path / "out" / "a.jpg"
    save_annotated(source, Picture("a.jpg", 40, 20), target)

    with Image.open(target) as copy:
        assert copy.size == (40, 20)
        red = copy.getpixel((5, 5))
    assert isinstance(red, tuple)
    assert red[0] > 200


@pytest.mark.parametrize(
    ("name", "target"),
    [
        ("a.jpg", "out/a.jpg"),
        ("photos/a.JPEG", "out/photos/a.JPEG"),
        ("photos/a.png", "out/photos/a.png.jpg"),
        ("../a.jpg", "out/__/a.jpg"),
        ("/home/me/a.webp", "out/home/me/a.webp.jpg"),
    ],
)
def test_paths_of_copies(name: str, target: str) -> None:
    assert target_of(Path("out"), Source(name, Path(name))) == Path(target)


def test_no_copy_replaces_a_picture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a.jpg").write_bytes(b"")
    with pytest.raises(UsageError):
        check_targets(Path("."), expand("a.jpg"))
    check_targets(Path("out"), expand("a.jpg"))
    assert main(["http://127.0.0.1:1", "a.jpg", "--annotate", "."]) == 2


def test_annotate_on_the_command_line(
    api: StubApi, photos: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (photos / "00.png").write_bytes(b"broken")
    out = photos.parent / "out"
    arguments = [api.url, str(photos), "http://localhost/a.jpg", "--annotate", str(out)]
    assert main(arguments) == 1

    copies = sorted(path.name for path in out.rglob("*.jpg"))
    assert copies == [f"{number:02}.png.jpg" for number in range(1, 20)]


def test_transparent_is_white(tmp_path: Path) -> None:
    image = open_upright(encode(Image.new("RGBA", (8, 6), (255, 0, 0, 0))))

    assert image.getpixel((0, 0)) == (255, 255, 255)


@pytest.mark.parametrize("limit", [2_000, 20_000, 60_000])
def test_shrunk_to_the_limit_and_not_far_below(limit: int) -> None:
    noise = encode(Image.effect_noise((400, 300), 90).convert("RGB"))
    small, upright_wh = shrink(noise, limit)

    assert upright_wh == (400, 300)
    assert limit / 3 < len(small) <= limit


@pytest.mark.parametrize("content", [b"", b"not a picture", encode(corners())[:60]], ids=len)
def test_a_picture_that_cannot_be_reduced(content: bytes) -> None:
    with pytest.raises(CannotDecode):
        shrink(content, 1000)
