"""Names in what a served model takes: its two signatures of pictures, and their one feature."""

PICTURES = "serving_default"
"""The signature that takes encoded pictures."""
EXAMPLES = "serve_examples"
"""The signature that takes serialized tf.train.Examples."""
ENCODED = "image/encoded"
"""The feature of such an Example that holds the encoded picture."""
