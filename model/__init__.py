"""The Robust Video Matting network, MobileNetV3 variant: tensors in, tensors out.

Source: Lin, Yang, Saleemi, Sengupta: "Robust High-Resolution Video Matting with Temporal Guidance",
WACV 2022 (arXiv 2108.11515). Attribute names are those of the published checkpoint.
"""

from model.checkpoint import load_network
from model.encoder import Features
from model.inference import optimise_for_inference
from model.network import MattingNetwork, State

__all__ = ["Features", "MattingNetwork", "State", "load_network", "optimise_for_inference"]
