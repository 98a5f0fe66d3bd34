"""The larger variant is the published one in structure and values, and as fast as it can be."""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from matting.imaging.sample_format import Size
from model import (
    MOBILENETV3,
    RESNET50,
    MattingNetwork,
    State,
    convolution,
    load_network,
    optimise_for_inference,
    variant_of,
)
from tests.support.half_precision import require_float32_results

CASES = ["stage1_only", "refined", "odd_size", "wide"]
CHANNELS = (16, 32, 64, 128)  # of r1 .. r4


@pytest.fixture(scope="module")
def network() -> MattingNetwork:
    with torch.random.fork_rng():
        torch.manual_seed(21)
        return MattingNetwork(RESNET50).eval().requires_grad_(False)


def made_up(name: str, shape: list[int]) -> NDArray[np.generic]:
    """Return the values that the reference's network has: made from the parameter's name."""
    uniform = np.random.Generator(np.random.PCG64(zlib.crc32(name.encode()))).random
    values = uniform(int(np.prod(shape)), dtype=np.float64)
    if name.endswith("num_batches_tracked"):
        return np.zeros(shape, np.int64)
    if name.endswith("running_var"):
        values = 0.5 + values
    elif name.endswith("weight") and len(shape) == 1:
        values = 0.5 + 0.5 * values
    elif name.endswith(("running_mean", "bias")):
        values = 0.2 * (values - 0.5)
        if name == "project_mat.conv.bias":
            values += [0, 0, 0, 0.5]
    elif "box_filter" in name:
        values = (0.5 + values) / 9
    else:
        gain = 1.3 if "backbone" in name else 2.0 if name.startswith("project_mat") else 1.0
        values = (2 * values - 1) * np.sqrt(3.0 / int(np.prod(shape[1:]))) * gain
    return values.reshape(shape).astype(np.float32)


def made_up_weights(shapes: Mapping[str, list[int]]) -> dict[str, NDArray[np.generic]]:
    return {name: made_up(name, shape) for name, shape in shapes.items()}


@pytest.fixture(scope="module")
def reference_network(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> MattingNetwork:
    recipe = shared / "reference" / "resnet50_state_dict.json"
    if not recipe.is_file():
        pytest.skip("no reference of the larger network in the folder of real weights and clips")
    facts = json.loads(recipe.read_text())
    weights = made_up_weights({name: shape for name, (shape, _) in facts["tensors"].items()})
    digest = hashlib.sha256(b"".join(weights[name].tobytes() for name in sorted(weights)))
    assert digest.hexdigest() == facts["weights_sha256"]
    path = tmp_path_factory.mktemp("weights") / "reference.pth"
    torch.save({name: torch.from_numpy(values) for name, values in weights.items()}, path)
    return load_network(path)


@pytest.mark.parametrize("case", CASES)
def test_agrees_with_the_reference(
    case: str, reference_network: MattingNetwork, shared: Path
) -> None:
    reference = np.load(shared / "reference" / "resnet50_parity.npz")
    rgb = torch.from_numpy(reference[f"{case}/rgb"]).permute(0, 3, 1, 2).float() / 255
    compared = [*reference[f"{case}/frames"]]
    state: State | None = None
    means = []
    for index, frame in enumerate(rgb):
        with torch.inference_mode():
            ratio = float(reference[f"{case}/downsample_ratio"])
            foreground, alpha, state = reference_network(frame[None], state, ratio)
        means.append(float(alpha.mean()))
        if index in compared:
            place = compared.index(index)
            assert np.abs(foreground[0].numpy() - reference[f"{case}/fgr"][place]).max() < 1e-4
            assert np.abs(alpha[0].numpy() - reference[f"{case}/pha"][place]).max() < 1e-4
    assert np.abs(means - reference[f"{case}/pha_mean"]).max() < 1e-4
    assert state is not None
    for index, tensor in enumerate(state, start=1):
        assert np.abs(tensor.numpy() - reference[f"{case}/r{index}"]).max() < 1e-4


def test_is_named_and_shaped_as_published(network: MattingNetwork) -> None:
    weights = network.state_dict()
    assert len(weights) == 390
    assert sum(tensor.numel() for tensor in weights.values()) == 26_944_730
    shapes = {name: tuple(tensor.shape) for name, tensor in weights.items()}
    assert shapes["backbone.conv1.weight"] == (64, 3, 7, 7)
    assert shapes["backbone.layer4.2.conv2.weight"] == (512, 512, 3, 3)
    assert shapes["aspp.aspp1.0.weight"] == (256, 2048, 1, 1)
    assert shapes["decoder.decode3.conv.0.weight"] == (128, 771, 3, 3)
    assert shapes["decoder.decode0.conv.0.weight"] == (16, 35, 3, 3)
    assert network.variant.state_channels == CHANNELS


def test_each_variant_is_told_by_its_own_names(network: MattingNetwork) -> None:
    assert variant_of(network.state_dict()) is RESNET50
    assert variant_of(MattingNetwork().state_dict()) is MOBILENETV3
    assert variant_of([3, None, "something.weight"]) is MOBILENETV3


def test_frames_at_once_equal_frames_one_by_one(network: MattingNetwork) -> None:
    rgb = torch.rand(3, 3, 35, 61, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        foreground, alpha, state = network(rgb[None], None, 0.6)
        single: State | None = None
        for index, frame in enumerate(rgb):
            one_foreground, one_alpha, single = network(frame[None], single, 0.6)
            assert (foreground[0, index] - one_foreground).abs().max() < 1e-5
            assert (alpha[0, index] - one_alpha).abs().max() < 1e-5
    assert single is not None
    assert [tensor.shape[1] for tensor in state] == [*CHANNELS]
    assert all((a - b).abs().max() < 1e-5 for a, b in zip(state, single, strict=True))


@pytest.fixture(scope="module")
def fast_network(network: MattingNetwork) -> MattingNetwork:
    return optimise_for_inference(network, torch.float32)


@pytest.mark.parametrize("fused", [True, False])
def test_optimised_for_inference_it_is_the_same_function(
    network: MattingNetwork,
    fast_network: MattingNetwork,
    fused: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if not fused:  # as on a GPU, or with a torch that has no such operations
        monkeypatch.setattr(convolution, "has_fused_operations", lambda _: False)
    frames = torch.rand(2, 2, 3, 33, 47, generator=torch.Generator().manual_seed(4))
    state: State | None = None
    fast_state: State | None = None
    with torch.inference_mode():
        for small in frames:
            expected = network.extract_features(small)
            features = fast_network.extract_features(small)
            assert all(_near(a, b) for a, b in zip(expected, features, strict=True))
            slope, offset, state = network.run_small(small, state, 2, refine=True)
            fast_slope, fast_offset, fast_state = fast_network.run_small(
                small, fast_state, 2, refine=True
            )
            assert slope is not None
            assert fast_slope is not None
            assert _near(slope, fast_slope)
            assert _near(offset, fast_offset)
    assert state is not None
    assert fast_state is not None
    assert all(_near(a, b) for a, b in zip(state, fast_state, strict=True))


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_keeps_states_and_results_in_float32(
    network: MattingNetwork, dtype: torch.dtype
) -> None:
    require_float32_results(network, dtype, Size(48, 32))


def _near(expected: Tensor, actual: Tensor) -> bool:
    """Return whether two are the same but for rounding, in proportion to the largest value."""
    return bool((actual - expected).abs().max() < 1e-4 * max(1, float(expected.abs().max())))
