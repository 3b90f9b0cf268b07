from __future__ import annotations

import base64
import re

import numpy as np
import pytest

from components.pretrained.tfjs_weights import TfjsFormatError, read_tensors

MODEL = (
    '!function(){t.exports={modelTopology:{config:{name:"m"}},weightsManifest:[{paths:["a","b"],'
    'weights:[{name:"conv2d_1/kernel",shape:[1,2,3],dtype:"float32",quantization:{min:-1.5,'
    'scale:.5,dtype:"uint8"}},{name:"dense/bias",shape:[2],dtype:"float32",quantization:'
    '{min:.25,scale:1e-3,dtype:"uint8"}}]}]}}()'
)


def shard(values: list[int]) -> str:
    return f'n[1]={{exports:{{}}}};h.exports="{base64.b64encode(bytes(values)).decode()}"}},{{}}'


def test_a_value_is_its_byte_times_scale_plus_min_whatever_shard_it_lies_in() -> None:
    tensors = read_tensors(MODEL, [shard([0, 1, 2, 3]), shard([4, 255, 0, 250])])
    assert list(tensors) == ["conv2d_1/kernel", "dense/bias"]
    kernel = tensors["conv2d_1/kernel"]
    assert kernel.dtype == np.float32
    np.testing.assert_allclose(kernel, [[[-1.5, -1.0, -0.5], [0.0, 0.5, 126.0]]])
    np.testing.assert_allclose(tensors["dense/bias"], [0.25, 0.5], rtol=1e-6)


@pytest.mark.parametrize(
    ("model", "shards", "fault"),
    [
        (MODEL, [shard([0] * 7)], "7 bytes of weights, but the list describes 8"),
        (MODEL, [shard([0] * 9)], "9 bytes of weights"),
        (MODEL, [shard([0] * 4), "h.exports=require('x')"], "shard 2 holds 0 base64 texts"),
        (MODEL.replace('"uint8"}},', '"uint16"}},'), [shard([0] * 8)], "not of the known form"),
        (MODEL.replace("weightsManifest", "other"), [shard([0] * 8)], "not of the known form"),
    ],
)
def test_what_is_not_exactly_as_described_is_refused(
    model: str, shards: list[str], fault: str
) -> None:
    with pytest.raises(TfjsFormatError, match=re.escape(fault)):
        read_tensors(model, shards)
