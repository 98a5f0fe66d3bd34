"""The Robust Video Matting network, both of its variants: tensors in, tensors out.

Source: Lin, Yang, Saleemi, Sengupta: "Robust High-Resolution Video Matting with Temporal Guidance",
WACV 2022 (arXiv 2108.11515). Attribute names are those of the published checkpoints.
"""

from model.checkpoint import load_network
from model.encoder import Features
from model.inference import optimise_for_inference
from model.network import MattingNetwork, State
from model.variant import MOBILENETV3, RESNET50, Variant, variant_of

__all__ = [
    "MOBILENETV3",
    "RESNET50",
    "Features",
    "MattingNetwork",
    "State",
    "Variant",
    "load_network",
    "optimise_for_inference",
    "variant_of",
]
