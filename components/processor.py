"""This machine's processor, and whether it is fast in half precision. Imports nothing heavy."""

from __future__ import annotations

import os
from pathlib import Path

_CPU_INFO = Path("/proc/cpuinfo")
_AMX, _AVX512, _LATER = "amx_bf16", "avx512_bf16", "avx512_fp16"
_MOST = "ONEDNN_MAX_CPU_ISA"
_MOST_WITHOUT = (
    "SSE41",
    "AVX",
    "AVX2",
    "AVX2_VNNI",
    "AVX2_VNNI_2",
    "AVX512_CORE",
    "AVX512_CORE_VNNI",
)
"""oneDNN's own variable, and its values that keep it from instructions for bfloat16."""
_MOST_WITHOUT_AMX = ("AVX512_CORE_BF16", "AVX512_CORE_FP16", "AVX10_1_512")


def flags() -> set[str]:
    """Returns the processor's abilities, by the names of Linux; elsewhere none."""
    try:
        with _CPU_INFO.open(encoding="utf-8") as lines:  # of a hundred cores; the first one tells
            return next((set(line.split()) for line in lines if line.startswith("flags")), set())
    except OSError:
        return set()


def uses_amx() -> bool:
    """Checks whether oneDNN multiplies in bfloat16 by AMX."""
    return _AMX in fast_in_bfloat16()


def fast_in_bfloat16() -> list[str]:
    """Returns the flags by which oneDNN multiplies faster in bfloat16 than in float32, if any.

    AMX does, four times. `avx512_bf16` alone does not on Intel's processors of 2023 and later
    (which have `avx512_fp16`) whose AMX a hypervisor hides: InceptionV3's forward pass took 1.5
    times as long as in float32 and its training 1.7 times (measured 2026-11-28 on one of model
    207, 187 GFLOP/s in place of 325 in oneDNN's matrix product; as told in
    https://github.com/intel/intel-extension-for-pytorch/issues/637).
    """
    most = os.environ.get(_MOST, "").upper()
    if os.environ.get("TF_ENABLE_ONEDNN_OPTS") == "0" or most in _MOST_WITHOUT:
        return []
    found = flags()
    if _AMX in found and most not in _MOST_WITHOUT_AMX:
        return sorted(found & {_AMX, _AVX512})
    return [_AVX512] if _AVX512 in found and _LATER not in found else []
