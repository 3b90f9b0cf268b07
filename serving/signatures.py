"""Names of a served model's signatures, of its inputs and of its outputs."""

PICTURES = "serving_default"
"""The signature that takes encoded pictures."""
EXAMPLES = "serve_examples"
"""The signature that takes serialized tf.train.Examples."""
ENCODED = "image/encoded"
"""The feature of such an Example that holds the encoded picture."""

CLASSES, SCORES = "classes", "scores"
"""The outputs of both signatures, [batch, classes]: names, and scores in their order."""
CERTAIN, DISTANCE = "certain", "distance"
"""Further outputs of the signature of encoded pictures, each [batch], where the model has them."""
