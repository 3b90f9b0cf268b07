from __future__ import annotations

import importlib
import io
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from components.artifacts import features
from components.backbones import BACKBONES
from components.picture_ops import size_of
from components.transform.preprocessing import decode, fit, preprocessing_fn

CAFFE_MEANS = np.array([103.939, 116.779, 123.68], np.float32)  # blue, green, red


def _to_unit_range(rgb: np.ndarray) -> np.ndarray:
    return rgb / 127.5 - 1


def _to_caffe(rgb: np.ndarray) -> np.ndarray:
    return rgb[..., ::-1] - CAFFE_MEANS


def _as_it_is(rgb: np.ndarray) -> np.ndarray:
    return rgb


SCALING = {
    "inception_v3": _to_unit_range,
    "xception": _to_unit_range,
    "mobilenet": _to_unit_range,
    "vgg16": _to_caffe,
    "vgg19": _to_caffe,
    "resnet50": _to_caffe,
    "mobilenet_v2": _to_unit_range,
    # These scale within the network.
    "mobilenet_v3_small": _as_it_is,
    "mobilenet_v3_large": _as_it_is,
    "efficientnet_v2_b0": _as_it_is,
    "efficientnet_v2_b3": _as_it_is,
    "efficientnet_v2_s": _as_it_is,
    "convnext_tiny": _as_it_is,
    "convnext_small": _as_it_is,
}
"""The scaling that each network's ImageNet weights were trained with."""


def encode(pixels: np.ndarray, format: str = "PNG") -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, format)
    return file.getvalue()


def noise(height: int, width: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


def preprocess(encoded: list[bytes], **config: Any) -> np.ndarray:
    config = {"backbone": "mobilenet", "size": [8, 8], "fit": "stretch", **config}
    return preprocessing_fn({features.ENCODED: tf.constant(encoded)}, config)[
        features.PIXELS
    ].numpy()


@pytest.mark.parametrize("name", sorted(BACKBONES))
def test_scale_is_the_backbones_own_eagerly_and_in_a_tf_data_map(name: str) -> None:
    pixels = noise(4, 6).astype(np.float32)
    pixels[0, 0], pixels[0, 1] = 0, 255
    module = importlib.import_module(f"keras.applications.{BACKBONES[name].module}")
    keras_own = module.preprocess_input(pixels.copy())
    scale = BACKBONES[name].scale
    eager = scale(tf.constant(pixels))
    (mapped,) = tf.data.Dataset.from_tensors(pixels).map(scale)
    for found in (eager, mapped):
        assert found.dtype == tf.float32
        np.testing.assert_allclose(found, keras_own, atol=1e-5)
        np.testing.assert_allclose(found, SCALING[name](pixels), atol=1e-4)


def test_pictures_of_any_shape_become_one_batch() -> None:
    pictures = [encode(noise(5, 9)), encode(noise(30, 3)), encode(noise(8, 8)[..., 0])]
    batch = preprocess(pictures)
    assert (batch.shape, batch.dtype) == ((3, 8, 8, 3), np.float32)
    assert batch.min() >= -1 and batch.max() <= 1


def test_the_transform_input_may_have_a_column() -> None:
    picture = encode(noise(5, 9))
    column = preprocessing_fn(
        {features.ENCODED: tf.constant([[picture], [picture]])},
        {"backbone": "mobilenet", "size": [8, 8], "fit": "crop"},
    )[features.PIXELS]
    np.testing.assert_array_equal(column, preprocess([picture, picture], fit="crop"))


@pytest.mark.parametrize("how", ["stretch", "crop", "pad"])
def test_a_picture_of_the_right_size_is_only_scaled(how: str) -> None:
    pixels = noise(8, 8)
    batch = preprocess([encode(pixels)], fit=how)
    np.testing.assert_allclose(batch[0], _to_unit_range(pixels.astype(np.float32)), atol=1e-5)


def test_grey_becomes_three_equal_channels() -> None:
    batch = preprocess([encode(noise(8, 8)[..., 0])])
    np.testing.assert_array_equal(batch[..., 0], batch[..., 1])
    np.testing.assert_array_equal(batch[..., 0], batch[..., 2])


@pytest.mark.parametrize("format", ["PNG", "JPEG", "GIF", "BMP"])
def test_every_canonical_format_is_decoded(format: str) -> None:
    pixels = np.full((6, 4, 3), 200, np.uint8)
    decoded = decode(tf.constant(encode(pixels, format)))
    assert decoded.shape == (6, 4, 3)
    np.testing.assert_allclose(decoded, pixels, atol=1)


# A wide picture: its left half black, its right half white.
HALVES = np.zeros((4, 8, 3), np.uint8)
HALVES[:, 4:] = 255


def test_stretch_keeps_everything_and_distorts() -> None:
    fitted = fit(tf.constant(HALVES), 4, 4, "stretch").numpy()
    assert (fitted.shape, fitted.dtype) == ((4, 4, 3), np.float32)
    np.testing.assert_allclose(fitted[:, 0], 0, atol=1e-3)
    np.testing.assert_allclose(fitted[:, 3], 255, atol=1e-3)


def test_crop_keeps_the_middle_undistorted() -> None:
    columns = np.zeros((4, 8, 3), np.uint8)
    columns[:] = np.arange(8, dtype=np.uint8)[:, np.newaxis]
    fitted = fit(tf.constant(columns), 4, 4, "crop").numpy()
    np.testing.assert_array_equal(fitted[0, :, 0], [2, 3, 4, 5])
    narrow = fit(tf.constant(columns), 4, 2, "crop").numpy()
    np.testing.assert_array_equal(narrow[0, :, 0], [3, 4])
    tall = fit(tf.constant(columns.transpose(1, 0, 2)), 4, 4, "crop").numpy()
    np.testing.assert_array_equal(tall[:, 0, 0], [2, 3, 4, 5])


def test_pad_keeps_a_line_of_a_very_flat_picture() -> None:
    fitted = fit(tf.constant(np.full((1, 100, 3), 255, np.uint8)), 8, 8, "pad").numpy()
    assert (fitted.max(axis=(1, 2)) > 0).sum() == 1


def test_pad_keeps_everything_undistorted_on_black() -> None:
    white = tf.constant(np.full((4, 8, 3), 255, np.uint8))
    fitted = fit(white, 8, 8, "pad").numpy()
    assert (fitted[:2] == 0).all() and (fitted[6:] == 0).all()
    np.testing.assert_allclose(fitted[2:6], 255)


@pytest.mark.parametrize("how", ["stretch", "crop", "pad"])
@pytest.mark.parametrize(
    "shape", [(1, 1), (8, 8), (1, 100), (100, 1), (7, 20), (299, 300), (31, 15)]
)
@pytest.mark.parametrize("size", [(8, 8), (5, 13), (13, 5)])
def test_the_size_asked_for_comes_out_within_the_range(
    how: str, shape: tuple[int, int], size: tuple[int, int]
) -> None:
    fitted = fit(tf.constant(noise(*shape)), *size, how).numpy()
    assert (fitted.shape, fitted.dtype) == ((*size, 3), np.float32)
    assert fitted.min() >= 0 and fitted.max() <= 255.001


def test_shrinking_a_little_reads_every_pixel() -> None:
    lines = np.zeros((30, 30, 3), np.uint8)
    lines[::2] = 255
    shrunk = fit(tf.constant(lines), 16, 30, "stretch").numpy()
    assert shrunk.min() > 5 and shrunk.max() < 250


def test_shrinking_averages_instead_of_skipping_pixels() -> None:
    pixels = noise(64, 64)
    shrunk = fit(tf.constant(pixels), 8, 8, "stretch").numpy()
    assert shrunk.std() < pixels.std() / 5  # two by two pixels alone would leave a half


def head(format: str, width: int, height: int) -> bytes:
    """A picture of 4 x 4 whose head claims another size."""
    encoded = bytearray(encode(noise(4, 4), format))
    match format:
        case "PNG":
            encoded[16:24] = width.to_bytes(4, "big") + height.to_bytes(4, "big")
        case "GIF":
            encoded[6:10] = width.to_bytes(2, "little") + height.to_bytes(2, "little")
        case "BMP":
            encoded[18:26] = width.to_bytes(4, "little") + (-height % 2**32).to_bytes(4, "little")
        case "JPEG":
            at = encoded.index(b"\xff\xc0") + 5
            encoded[at : at + 4] = height.to_bytes(2, "big") + width.to_bytes(2, "big")
    return bytes(encoded)


@pytest.mark.parametrize("format", ["PNG", "GIF", "BMP", "JPEG"])
def test_a_picture_that_claims_too_many_pixels_is_refused_with_both_sizes(format: str) -> None:
    assert size_of(tf.constant(encode(noise(6, 9), format))).numpy().tolist() == [6, 9]
    with pytest.raises(
        tf.errors.InvalidArgumentError,
        match="too many pixels: 20000x15000, at most 64,000,000 in all are allowed",
    ):
        preprocess([encode(noise(4, 4)), head(format, 20_000, 15_000)])
    with pytest.raises(tf.errors.InvalidArgumentError, match="9x6, at most 53"):
        preprocess([encode(noise(6, 9), format)], max_pixels=53)
    assert preprocess([encode(noise(6, 9), format)], max_pixels=54).shape == (1, 8, 8, 3)


def test_the_greatest_claim_of_a_png_is_refused_too() -> None:
    with pytest.raises(tf.errors.InvalidArgumentError, match="4294967295x4294967295"):
        preprocess([head("PNG", 2**32 - 1, 2**32 - 1)])


@pytest.mark.parametrize("encoded", [b"", b"G", b"GIF89a", b"\x89PNG\r\n\x1a\n", b"text" * 20])
def test_what_has_no_size_is_left_to_the_decoder(encoded: bytes) -> None:
    assert size_of(tf.constant(encoded)).numpy().tolist() == [0, 0]
    with pytest.raises(tf.errors.InvalidArgumentError):
        preprocess([encoded])
