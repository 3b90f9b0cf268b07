"""Names that several components share: features of an ingested picture, and splits.

A picture travels as a `tf.train.Example` with these features; `LABEL` holds the class name, never
an index, because every index in the system is a position in the class list.
"""

from __future__ import annotations

ENCODED = "image/encoded"  # bytes that tf.io.decode_image reads
FORMAT = "image/format"
HEIGHT = "image/height"
WIDTH = "image/width"
CHANNELS = "image/channels"
ASPECT_RATIO = "image/aspect_ratio"  # width over height
FILENAME = "image/filename"  # relative to the source
SHA256 = "image/sha256"  # of the source file's bytes, in hexadecimal
LABEL = "image/label"  # the class name
LABEL_PROBABILITY = "image/label_probability"  # float: that the label is right; absent where 1
WEIGHT = "image/weight"  # float: of the picture in the training's loss; absent where 1
COLUMNS = "image/columns"  # JSON object of a manifest's further columns; only where there are any

PIXELS = "image"  # the Transform graph's output: [batch, height, width, 3] float32
BOTTLENECK = "bottleneck"  # BottleneckGen's output: [features] float32

TRAIN = "train"  # fits the weights
EVAL = "eval"  # early stopping and the best checkpoint
TEST = "test"  # the gate alone sees it
SPLITS = (TRAIN, EVAL, TEST)
