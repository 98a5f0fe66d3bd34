"""The network computes what the reference computes, in any shape of input."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from matting.imaging.sample_format import Size
from model import (
    MattingNetwork,
    State,
    convolution,
    inference,
    load_network,
    optimise_for_inference,
)
from tests.support.half_precision import require_float32_results

CASES = ["stage1_only", "portrait", "odd_size", "wide"]


@pytest.fixture(scope="module")
def real_network(shared: Path) -> MattingNetwork:
    return load_network(shared / "weights" / "rvm_mobilenetv3.pth")


@pytest.fixture(scope="module")
def network(random_checkpoint: Path) -> MattingNetwork:
    return load_network(random_checkpoint)


def one_by_one(
    network: MattingNetwork, rgb: torch.Tensor, ratio: float
) -> tuple[torch.Tensor, torch.Tensor, State]:
    """Run [T, 3, H, W] frame by frame; return foreground, alpha and the last state."""
    foregrounds, alphas = [], []
    state: State | None = None
    with torch.inference_mode():
        for frame in rgb:
            foreground, alpha, state = network(frame[None], state, ratio)
            foregrounds.append(foreground[0])
            alphas.append(alpha[0])
    assert state is not None
    return torch.stack(foregrounds), torch.stack(alphas), state


@pytest.mark.parametrize("case", CASES)
def test_agrees_with_the_reference(case: str, real_network: MattingNetwork, shared: Path) -> None:
    reference = np.load(shared / "reference" / "parity.npz")
    rgb = torch.from_numpy(reference[f"{case}/rgb"]).permute(0, 3, 1, 2).float() / 255
    ratio = float(reference[f"{case}/downsample_ratio"])
    compared = reference[f"{case}/frames"]

    foreground, alpha, state = one_by_one(real_network, rgb, ratio)

    assert np.abs(foreground.numpy()[compared] - reference[f"{case}/fgr"]).max() < 1e-4
    assert np.abs(alpha.numpy()[compared] - reference[f"{case}/pha"]).max() < 1e-4
    means = alpha.mean(dim=(1, 2, 3)).numpy()
    assert np.abs(means - reference[f"{case}/pha_mean"]).max() < 1e-4
    for index, tensor in enumerate(state, start=1):
        assert np.abs(tensor.numpy() - reference[f"{case}/r{index}"]).max() < 1e-4


@pytest.mark.parametrize("ratio", [1.0, 0.5, 0.31])
def test_frames_at_once_equal_frames_one_by_one(network: MattingNetwork, ratio: float) -> None:
    rgb = torch.rand(5, 3, 67, 93, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        foreground, alpha, state = network(rgb[None], None, ratio)
    single_foreground, single_alpha, single_state = one_by_one(network, rgb, ratio)
    assert (foreground[0] - single_foreground).abs().max() < 1e-5
    assert (alpha[0] - single_alpha).abs().max() < 1e-5
    for together, single in zip(state, single_state, strict=True):
        assert (together - single).abs().max() < 1e-5


def test_batch_entries_are_independent(network: MattingNetwork) -> None:
    rgb = torch.rand(2, 3, 3, 48, 64, generator=torch.Generator().manual_seed(2))
    with torch.inference_mode():
        _, together, _ = network(rgb, None, 0.5)
        _, first, _ = network(rgb[:1], None, 0.5)
    assert (together[:1] - first).abs().max() < 1e-5


@pytest.mark.parametrize("size", [(16, 16), (33, 47), (48, 200), (121, 35)])
@pytest.mark.parametrize("ratio", [1.0, 0.5])
def test_any_size(network: MattingNetwork, size: tuple[int, int], ratio: float) -> None:
    with torch.inference_mode():
        foreground, alpha, state = network(torch.rand(1, 3, *size), None, ratio)
    assert foreground.shape == (1, 3, *size)
    assert alpha.shape == (1, 1, *size)
    assert float(alpha.min()) >= 0
    assert float(alpha.max()) <= 1
    assert [tensor.shape[1] for tensor in state] == [16, 20, 40, 64]


def test_the_state_matters(network: MattingNetwork) -> None:
    frames = torch.rand(2, 3, 48, 64, generator=torch.Generator().manual_seed(3))
    with torch.inference_mode():
        _, _, state = network(frames[:1], None, 1.0)
        _, with_memory, _ = network(frames[1:], state, 1.0)
        _, without, _ = network(frames[1:], None, 1.0)
    assert (with_memory - without).abs().max() > 1e-4


@pytest.mark.parametrize("size", [(16, 16), (33, 47), (90, 51), (31, 130)])
@pytest.mark.parametrize("refine", [True, False])
@pytest.mark.parametrize("fused", [True, False])
def test_optimised_for_inference_it_is_the_same_function(
    network: MattingNetwork,
    size: tuple[int, int],
    refine: bool,
    fused: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if not fused:  # as on a GPU, or with a torch that has no such operations
        monkeypatch.setattr(convolution, "has_fused_operations", lambda _: False)
    fast = optimise_for_inference(network, torch.float32)
    frames = torch.rand(2, 2 * 3, 3, *size, generator=torch.Generator().manual_seed(4))
    state, fast_state = None, None
    with torch.inference_mode():
        for small in frames:
            slope, offset, state = network.run_small(small, state, 3, refine=refine)
            last = small.contiguous(memory_format=torch.channels_last)
            fast_slope, fast_offset, fast_state = fast.run_small(last, fast_state, 3, refine=refine)
            assert (fast_offset - offset).abs().max() < 1e-4
            if slope is not None and fast_slope is not None:
                assert (fast_slope - slope).abs().max() < 1e-4
    assert state is not None
    assert fast_state is not None
    for one, other in zip(state, fast_state, strict=True):
        assert (one - other).abs().max() < 1e-5


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_keeps_states_and_results_in_float32(
    network: MattingNetwork, dtype: torch.dtype
) -> None:
    require_float32_results(network, dtype, Size(64, 48))


def test_optimised_single_frames_equal_several_at_once(network: MattingNetwork) -> None:
    """Of a single frame, squeeze-excitation scales the next layer's weights instead."""
    fast = optimise_for_inference(network, torch.float32)
    frames = torch.rand(3, 3, 48, 64, generator=torch.Generator().manual_seed(6))
    with torch.inference_mode():
        together = fast.extract_features(frames)
        single = [fast.extract_features(frame[None]) for frame in frames]
    for level, features in enumerate(together):
        assert (torch.cat([one[level] for one in single]) - features).abs().max() < 1e-4


@pytest.mark.parametrize("strip_px", [1, 333, 1_000])
def test_maps_are_the_same_in_strips_of_any_height(
    network: MattingNetwork, strip_px: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    fast = optimise_for_inference(network, torch.float32)
    generator = torch.Generator().manual_seed(9)
    small, hid = (torch.rand(2, channels, 21, 50, generator=generator) for channels in (3, 16))
    hid = hid.contiguous(memory_format=torch.channels_last)

    def maps() -> torch.Tensor:
        with torch.inference_mode():
            slope, offset = fast.fit_guided_filter(small, fast.project(hid), hid, refine=True)
        assert slope is not None
        return torch.cat((slope, offset), dim=1)

    whole = maps()
    monkeypatch.setattr(inference, "STRIP_PX", strip_px)
    assert (maps() - whole).abs().max() < 1e-5


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_the_order_of_weights_in_memory_changes_no_number(
    network: MattingNetwork, dtype: torch.dtype, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever sizes a network has seen before: an interrupted job has seen others."""
    generator = torch.Generator().manual_seed(8)
    sizes = [(64, 48), (17, 90), (48, 64), (33, 47), (64, 48)]
    pictures = [
        torch.rand(frames, 3, *size, generator=generator) for size in sizes for frames in (1, 3)
    ]

    def results() -> list[torch.Tensor]:
        fast = optimise_for_inference(network, dtype)
        with torch.inference_mode():
            return [
                fast.run_recurrent(small, fast.extract_features(small), None, len(small))[0]
                for small in pictures
            ]

    reordered = results()
    of_torch = convolution._operation
    monkeypatch.setattr(
        convolution, "_operation", lambda name: None if "reorder" in name else of_torch(name)
    )
    for one, other in zip(reordered, results(), strict=True):
        assert torch.equal(one, other)


def test_torch_has_the_fused_operations() -> None:
    """Should a new torch drop them, all still works, but takes up to twice as long."""
    assert convolution.has_fused_operations(torch.float32) == torch.backends.mkldnn.is_available()
