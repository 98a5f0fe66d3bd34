"""Code values of a sample format to normalised values and back, sample by sample.

Normalised values are float32: 0 is black and 1 white, and neither is a bound; colour differences
lie around 0. Source: ITU-T H.273 (ranges).
"""

from __future__ import annotations

import torch
from torch import Tensor

from matting.imaging.planes import dtype_of
from matting.imaging.sample_format import CodeRange, SampleFormat


def normalise_luma_or_rgb(code_values: Tensor, source: SampleFormat) -> Tensor:
    """Return code values of luma or R'G'B' normalised, float32."""
    return _normalise(code_values, source.luma_code_range, source.lsb_padding)


def normalise_chroma(code_values: Tensor, source: SampleFormat) -> Tensor:
    """Return code values of chroma normalised, float32."""
    return _normalise(code_values, source.chroma_code_range, source.lsb_padding)


def quantise_luma_or_rgb(values: Tensor, target: SampleFormat) -> Tensor:
    """Return normalised luma, R'G'B' or alpha, float32, as the nearest code values."""
    return _quantise(values, target.luma_code_range, target)


def quantise_chroma(values: Tensor, target: SampleFormat) -> Tensor:
    """Return normalised colour differences, float32, as the nearest code values."""
    return _quantise(values, target.chroma_code_range, target)


def _normalise(code_values: Tensor, code_range: CodeRange, lsb_padding: int) -> Tensor:
    """Return code values as float32, of which 0 is black, or no colour difference."""
    zero, span = (value * (1 << lsb_padding) for value in code_range)
    return code_values.to(torch.float32).sub(zero).mul_(1 / span)


def _quantise(values: Tensor, code_range: CodeRange, target: SampleFormat) -> Tensor:
    """Return normalised values as the nearest code values, in the format's type and padding."""
    code_values = values.mul(code_range.span).add_(code_range.zero)
    code_values.round_().clamp_(0, target.max_code_value)
    if target.lsb_padding:
        code_values.mul_(1 << target.lsb_padding)
    return code_values.to(dtype_of(target))
