"""Names in what a served model takes and gives: two signatures of pictures, inputs and outputs."""

PICTURES = "serving_default"
"""The signature that takes encoded pictures."""
EXAMPLES = "serve_examples"
"""The signature that takes serialized tf.train.Examples."""
ENCODED = "image/encoded"
"""The feature of such an Example that holds the encoded picture."""

CLASSES, SCORES = "classes", "scores"
"""The outputs of both signatures, [batch, classes]: names, and scores in their order."""
CERTAIN, DISTANCE = "certain", "distance"
"""What the signature of encoded pictures gives beside them, each [batch], where the model tells."""
