"""Slope and offset of a backbone's pixel scaling, measured on it, and its inverse."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from components.backbones import BACKBONES

BLACK_TO_WHITE = (0.0, 255.0)


def affine(backbone: str) -> tuple[np.ndarray, np.ndarray]:
    """Returns slope and offset of a backbone's pixel scaling, each [3] float32."""
    scale = BACKBONES[backbone].scale
    black, white = (
        np.array(scale(np.full((1, 1, 3), value, np.float32)))[0, 0] for value in BLACK_TO_WHITE
    )
    return (white - black) / BLACK_TO_WHITE[1], black


def blue_first(backbone: str) -> bool:
    """Checks whether a backbone's channels stand in the order blue, green, red."""
    scaled = BACKBONES[backbone].scale(np.array([[[255.0, 0.0, 0.0]]], np.float32))
    black = BACKBONES[backbone].scale(np.zeros((1, 1, 3), np.float32))
    return bool(np.argmax(np.array(scaled) - np.array(black)) == 2)


def to_picture(pixels: tf.Tensor, backbone: str) -> tf.Tensor:
    """Returns [..., 3] uint8 RGB for scaled pixels [..., 3] float32, rounded."""
    slope, offset = affine(backbone)
    picture = (pixels - offset) / slope
    if blue_first(backbone):
        picture = picture[..., ::-1]
    return tf.saturate_cast(tf.round(picture), tf.uint8)
