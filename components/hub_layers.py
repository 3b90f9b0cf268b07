"""The networks of KerasHub as this project needs them: one map at the end, layers made anew."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import keras


def remade(network: keras.Model) -> keras.Model:
    """Returns the network made anew by its layers' configurations, with the same weights.

    Its copies, its exports and the files it is saved in are made by them, too.

    Raises:
      AttributeError, TypeError: a layer can't be made by its configuration.
      ValueError: the layers that were made have other weights.
    """
    import keras

    copy = keras.models.clone_model(network, clone_function=_made_anew)
    copy.set_weights(network.get_weights())
    return copy


def _made_anew(layer: keras.Layer) -> keras.Layer:
    kind = type(layer)
    of_hub = kind.__module__.startswith("keras_hub.")  # Keras' own state true shapes
    try:
        return (_like(kind) if of_hub else kind).from_config(layer.get_config())
    except (TypeError, AttributeError):
        return _like(kind, _arguments).from_config(_arguments(kind, layer))


def _like(
    kind: type[keras.Layer],
    config: Callable[[type[keras.Layer], Any], dict[str, Any]] | None = None,
) -> type[keras.Layer]:
    """Returns a layer that computes as KerasHub's, whose outputs have the shapes it states.

    SigLIP's first layer in KerasHub 0.25 to 0.32 states one token more than it returns. The layer
    has the same name and module: what is saved names KerasHub's own layer, which can read it.

    Args:
      kind: the layer's class.
      config: returns the configuration of a layer; None where its own is that of its constructor.
    """
    import keras

    def compute_output_spec(self: keras.Layer, *args: Any, **kwargs: Any) -> Any:
        traced = keras.Operation.compute_output_spec(self, *args, **kwargs)
        if all(None not in each.shape[1:] for each in keras.tree.flatten(traced)):
            return traced
        return kind.compute_output_spec(self, *args, **kwargs)

    names: dict[str, Any] = {
        "__module__": kind.__module__,
        "compute_output_spec": compute_output_spec,
    }
    if config is not None:
        names["get_config"] = lambda self: config(kind, self)
    return type(kind.__name__, (kind,), names)


def _arguments(kind: type[keras.Layer], layer: keras.Layer) -> dict[str, Any]:
    """Returns a layer's configuration by what its constructor takes.

    That of ViT's first layer in KerasHub 0.25 to 0.32 has other values, and DeiT's encoder fails to
    return one. An argument that is missing there is the layer's attribute of that name.
    """
    import keras

    of_all = keras.Layer.get_config(layer)
    try:
        found = kind.get_config(layer)
    except AttributeError:
        found = of_all
    taken = inspect.signature(kind.__init__).parameters
    missing = {name: getattr(layer, name) for name in taken if hasattr(layer, name)}
    return missing | {name: found[name] for name in found if name in taken or name in of_all}


def as_map(
    outputs: Any, shape: tuple[int, ...], patch: int | tuple[int, int] | None
) -> keras.KerasTensor:
    """Returns [batch, rows, columns, channels] for what a network returns.

    Of a map for each stage it is the last one; a vector is a map of one place.

    Args:
      outputs: of the network: a tensor, a list or a dictionary of some.
      shape: height, width and channels of its pictures.
      patch: height and width in pixels of a transformer's patches, where it is one.

    Raises:
      ValueError: the network returns nothing of that kind.
    """
    import keras

    if isinstance(outputs, Mapping):
        outputs = list(outputs.values())
    output = outputs[-1] if isinstance(outputs, list) else outputs
    if len(output.shape) == 2:
        return keras.layers.Reshape((1, 1, output.shape[1]), name="one_place")(output)
    if len(output.shape) == 3 and patch is not None:
        return _patches(output, shape, patch)
    if len(output.shape) != 4:
        raise ValueError(f"it returns {output.shape}, neither a map, patches nor a vector")
    return output


def _patches(
    tokens: keras.KerasTensor, shape: tuple[int, ...], patch: int | tuple[int, int]
) -> keras.KerasTensor:
    """Returns [batch, rows, columns, channels] for a transformer's tokens [batch, tokens, ...].

    The tokens of the patches are the last ones. Where there are others, the first one is the class
    token, whose channels follow those of the patch at each place; registers are left out.
    """
    import keras

    height, width = (patch, patch) if isinstance(patch, int) else patch
    rows, columns = shape[0] // height, shape[1] // width
    count, channels = tokens.shape[1:]
    others = count - rows * columns
    if not others:
        return keras.layers.Reshape((rows, columns, channels), name="patches")(tokens)
    patches = keras.layers.Cropping1D((others, 0), name="patch_tokens")(tokens)
    patches = keras.layers.Reshape((rows, columns, channels), name="patches")(patches)
    token = keras.layers.Cropping1D((0, count - 1), name="class_token")(tokens)
    token = keras.layers.Reshape((1, 1, channels), name="class_token_map")(token)
    token = keras.layers.UpSampling2D((rows, columns), name="class_token_everywhere")(token)
    return keras.layers.Concatenate(name="patches_and_class_token")([patches, token])
