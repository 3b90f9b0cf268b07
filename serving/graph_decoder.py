"""Predicts what the decoder in the served graph (components/picture_ops.py) makes of a file.

Found by holding it (TensorFlow 2.16) against Pillow on whole, cut and damaged files of each format,
as tests/serving/test_pictures.py does: Pillow shows some files that TensorFlow refuses. A client
has no TensorFlow to try; the ingest has, and tries (components/image_example_gen/graph_trial.py).
"""

from __future__ import annotations

import struct

from PIL import ImageFile

from serving import gif_blocks, png_chunks
from serving.jpeg_segments import Jpeg


def decodes_alike(image: ImageFile.ImageFile, data: bytes, jpeg: Jpeg | None) -> bool:
    """Checks whether the graph decodes `data` to Pillow's pixels, colour profiles left aside.

    Args:
        image: `data` as opened by Pillow and not loaded yet; may be loaded on return.
        data: the whole file.
        jpeg: its segments, where it is one with sound ones.
    """
    match image.format:
        case "JPEG" | "MPO":  # MPO: a JPEG with others behind it, where no decoder looks
            return jpeg is not None and jpeg.plain
        case "PNG":
            at_most_8_bit = data[24] <= 8
            return at_most_8_bit and png_chunks.is_sound(data) and _palette_suffices(image)
        case "GIF":
            # TensorFlow decodes every frame to return the first, and paints in black what that one
            # leaves uncovered.
            covers = image.tile[0][1] == (0, 0, *image.size)
            animated = getattr(image, "is_animated", False)
            sound = gif_blocks.is_sound(data)
            return covers and not animated and sound and _palette_suffices(image)
        case "BMP":
            return _is_plain_bmp(data)
    return False


def _is_plain_bmp(data: bytes) -> bool:
    """24 bit, uncompressed, exactly as long as it says: TensorFlow reads little else."""
    offset, header_size, width, height, bits, compression = struct.unpack_from(
        "<IIii2xHI", data, 10
    )
    row = (3 * width + 3) // 4 * 4
    plain = header_size >= 40 and bits == 24 and compression == 0  # 12: the old OS/2 header
    return plain and len(data) == offset + row * abs(height)


def _palette_suffices(image: ImageFile.ImageFile) -> bool:
    """Checks whether no pixel points past the palette: black to Pillow, the end to TensorFlow."""
    if image.mode != "P":
        return image.format != "GIF"  # a grey ramp whose length Pillow does not keep
    colours = len(image.getpalette() or ()) // 3
    return not any(image.histogram()[colours:])
