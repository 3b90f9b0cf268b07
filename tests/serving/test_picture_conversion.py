"""16 bit, transparency, and photographs that can't keep their bytes."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageCms

from serving import picture_conversion as conversion
from serving.picture_settings import DEFAULT, LEAST_SIDE, PictureSettings
from serving.pictures import canonical, values
from tests.serving.photographs import opened, photograph
from tests.serving.samples import colours, encode, exif, half_transparent, png, swapped_profile


def twelve_bit() -> Image.Image:
    """Every value that a sensor of 12 bit gives, in a picture of 16."""
    return Image.fromarray(np.arange(4096, dtype=np.uint16).reshape(64, 64))


def pixels(data: bytes) -> np.ndarray:
    return np.asarray(opened(data))


@pytest.mark.parametrize("format", ["PNG", "TIFF"])
def test_the_range_of_16_bit_is_what_the_settings_say(format: str) -> None:
    data = encode(twelve_bit(), format)
    dark = canonical(data)
    assert (dark.values, dark.done, pixels(dark.encoded).max()) == (
        (0, 4095),
        (conversion.SIXTEEN,),
        15,
    )
    whole = pixels(canonical(data, settings=PictureSettings(range=(0, 4095))).encoded)
    np.testing.assert_allclose(whole.ravel(), np.arange(4096) * 255 / 4095, atol=1)
    middle = pixels(canonical(data, settings=PictureSettings(range=(1000, 2000))).encoded).ravel()
    assert set(middle[:1000]) == {0} and set(middle[2001:]) == {255}
    assert abs(int(middle[1500]) - 128) <= 1


def test_the_values_of_16_bit_are_read_without_more() -> None:
    assert values(png(twelve_bit())) == (0, 4095)
    assert values(encode(twelve_bit(), "TIFF")) == (0, 4095)
    assert values(png()) is None and values(encode(colours(), "JPEG")) is None


def test_transparent_pixels_show_the_background() -> None:
    data = png(half_transparent())
    for colour in [(255, 255, 255), (0, 0, 0), (10, 200, 30)]:
        picture = canonical(data, settings=PictureSettings(colour))
        assert picture.done == (conversion.TRANSPARENT,)
        assert opened(picture.encoded).getpixel((5, 0)) == colour  # the top is transparent


def test_an_alpha_channel_that_hides_nothing_is_no_transparency() -> None:
    picture = canonical(png(colours().convert("RGBA")))
    assert picture.done and conversion.TRANSPARENT not in picture.done


def test_settings_go_through_a_model_and_back() -> None:
    for settings in (DEFAULT, PictureSettings((1, 2, 255), (0, 4095), 1024)):
        assert PictureSettings.decoded(settings.encoded()) == settings
    assert PictureSettings.of_json({}) == DEFAULT


@pytest.mark.parametrize("orientation", range(2, 9))
@pytest.mark.parametrize(("subsampling", "most"), [("4:4:4", 16), ("4:2:0", 40)])
def test_a_turned_photograph_stays_a_jpeg_of_its_size_nearly_without_loss(
    orientation: int, subsampling: str, most: int
) -> None:
    image = photograph(480, 320)
    data = encode(image, "JPEG", quality=85, subsampling=subsampling, exif=exif(orientation))
    picture = canonical(data)
    assert (picture.format, picture.done) == ("jpeg", (conversion.TURNED,))
    assert len(picture.encoded) <= 1.1 * len(data)
    upright = {
        2: [Image.Transpose.FLIP_LEFT_RIGHT],
        3: [Image.Transpose.ROTATE_180],
        4: [Image.Transpose.FLIP_TOP_BOTTOM],
        5: [Image.Transpose.TRANSPOSE],
        6: [Image.Transpose.ROTATE_270],
        7: [Image.Transpose.TRANSVERSE],
        8: [Image.Transpose.ROTATE_90],
    }
    shown = opened(data)
    for turn in upright[orientation]:
        shown = shown.transpose(turn)
    change = np.abs(pixels(picture.encoded).astype(int) - np.asarray(shown))
    assert change.mean() < 1 and change.max() <= most


def test_a_large_turned_photograph_is_reduced_but_not_below_what_networks_read() -> None:
    data = encode(photograph(4032, 3024), "JPEG", quality=85, exif=exif(6))
    picture = canonical(data)
    assert (picture.width, picture.height) == (756, 1008)
    assert min(picture.width, picture.height) >= LEAST_SIDE
    assert len(picture.encoded) < len(data)
    larger = canonical(data, settings=PictureSettings(least_side=1024))
    assert (larger.width, larger.height) == (1512, 2016)


def test_a_photograph_of_another_colour_space_stays_a_jpeg() -> None:
    data = encode(photograph(), "JPEG", quality=85, icc_profile=swapped_profile())
    picture = canonical(data)
    assert (picture.format, picture.done) == ("jpeg", (conversion.PROFILE,))
    assert len(picture.encoded) < 1.5 * len(data)


def test_what_was_saved_without_loss_stays_so() -> None:
    image = photograph()
    for data in (
        encode(image, "PNG", exif=exif(3)),
        encode(image, "WEBP", lossless=True, exif=exif(3)),
        encode(image, "TIFF", exif=exif(3)),
    ):
        picture = canonical(data)
        assert picture.format == "png"
        turned = image.transpose(Image.Transpose.ROTATE_180)
        np.testing.assert_array_equal(pixels(picture.encoded), np.asarray(turned))


def test_an_srgb_profile_costs_no_new_encoding() -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    data = encode(photograph(), "JPEG", icc_profile=profile)
    assert canonical(data).encoded is data
