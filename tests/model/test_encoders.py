"""The encoders are torchvision's networks: the same names, shapes and values.

torchvision is loaded in here and nowhere else; that takes as long as loading torch.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import NamedTuple

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from model.mobilenetv3 import TAPS, MobileNetV3Encoder
from model.resnet50 import ResNet50Encoder


class Pair(NamedTuple):
    """One of our encoders and its counterpart, with the same weights.

    Attributes:
        features: returns f1 .. f4 of a picture by the counterpart.
    """

    ours: nn.Module
    theirs: nn.Module
    features: Callable[[nn.Module, Tensor], list[Tensor]]


def mobilenetv3() -> Pair:
    from torchvision.models import mobilenet_v3_large  # noqa: PLC0415

    whole = mobilenet_v3_large(weights=None, dilated=True)
    theirs = nn.Module()
    theirs.features = whole.features

    def features(network: nn.Module, src: Tensor) -> list[Tensor]:
        mean, std = (
            torch.tensor(values).view(3, 1, 1)
            for values in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
        )
        found, x = [], (src - mean) / std
        assert isinstance(network.features, nn.Sequential)
        for layer in network.features:
            x = layer(x)
            found.append(x)
        return [found[tap] for tap in TAPS]

    return Pair(MobileNetV3Encoder(), theirs, features)


def resnet50() -> Pair:
    from torchvision.models import resnet50  # noqa: PLC0415

    theirs = resnet50(weights=None, replace_stride_with_dilation=[False, False, True])
    del theirs.fc

    def features(network: nn.Module, src: Tensor) -> list[Tensor]:
        layers = dict(network.named_children())
        found = [F.relu(layers["bn1"](layers["conv1"](src)))]
        x = layers["maxpool"](found[0])
        for number in range(1, 5):
            x = layers[f"layer{number}"](x)
            found.append(x)
        return [found[index] for index in (0, 1, 2, 4)]

    return Pair(ResNet50Encoder(), theirs, features)


@pytest.fixture(scope="module", params=[mobilenetv3, resnet50])
def pair(request: pytest.FixtureRequest) -> Pair:
    with torch.random.fork_rng():
        torch.manual_seed(22)
        pair: Pair = request.param()
    return pair


def test_parameters_have_the_same_names_and_shapes(pair: Pair) -> None:
    ours, theirs = (
        [(name, values.shape) for name, values in network.state_dict().items()]
        for network in (pair.ours, pair.theirs)
    )
    assert ours == theirs


def test_random_weights_are_as_large(pair: Pair) -> None:
    """Training starts from them."""
    theirs = pair.theirs.state_dict()
    for name, values in pair.ours.state_dict().items():
        if values.ndim > 1:
            assert values.std() == pytest.approx(theirs[name].std(), rel=0.25), name
        else:
            assert torch.equal(values, theirs[name]), name


@pytest.mark.parametrize("training", [False, True])
def test_the_same_weights_give_the_same_bits(pair: Pair, training: bool) -> None:
    """And, in training, the same statistics, by which norms go afterwards."""
    ours, theirs = copy.deepcopy(pair.ours), copy.deepcopy(pair.theirs)
    generator = torch.Generator().manual_seed(23)
    for layer in ours.modules():
        if isinstance(layer, nn.BatchNorm2d):
            for values in (layer.weight, layer.bias, layer.running_mean, layer.running_var):
                assert values is not None
                values.data.uniform_(0.5, 1.5, generator=generator)
    theirs.load_state_dict(ours.state_dict())
    src = torch.rand(2, 3, 35, 61, generator=generator)
    with torch.no_grad():
        expected = pair.features(theirs.train(training), src)
        features = ours.train(training)(src)
    for one, other in zip(features, expected, strict=True):
        assert torch.equal(one, other)
        assert one.isfinite().all() and one.std() > 0
    for name, values in theirs.state_dict().items():
        assert torch.equal(values, ours.state_dict()[name]), name
