"""What tests compute in place of some networks: what a constant one gives, what jobs depend on."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from benchmarks.checkpoints import write_varied_checkpoint
from matting.imaging.sample_format import SampleFormat, Size
from matting.inference.base import InferenceNetwork
from matting.inference.rvm import RvmNetwork
from matting.inference.weights import load_checkpoint
from tests.support.partial_networks import (
    ConstantNetwork,
    LightNetwork,
    gives_a_constant,
    is_marked,
    write_light_checkpoint,
)
from tests.support.soft_edges import smooth_source

CPU = torch.device("cpu")
FORMAT = SampleFormat(8, (0.2126, 0.0722), subsampling=(2, 2))
SIZE = Size(70, 46)


def trained(path: Path) -> RvmNetwork:
    network = load_checkpoint(path).network
    assert isinstance(network, RvmNetwork)
    return network


@pytest.mark.parametrize("ratio", [1.0, 0.5])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_mattes_are_the_same_bit_by_bit(
    ratio: float, dtype: torch.dtype, opaque_checkpoint: Path
) -> None:
    network = trained(opaque_checkpoint)
    whole = network.for_inference(dtype, CPU)
    constant = ConstantNetwork(whole, network, dtype)
    source = smooth_source(FORMAT, 2, SIZE)

    def outcome(network: InferenceNetwork) -> list[torch.Tensor]:
        features = network.extract_features(source, ratio, mirrored=True)
        first, state = network.run_recurrent(features.between(0, 1), None)
        second, state = network.run_recurrent(features.between(1, 2), state)
        assert state.fits(SIZE, ratio)
        assert network.load_state(state.to_bytes()).fits(SIZE, ratio)
        values = [network.coarse_alpha(output) for output in (first, second)]
        mattes = [network.fit_guided_filter(output) for output in (first, second)]
        return values + [x for m in mattes for x in (m.slope, m.offset) if x is not None]

    expected = outcome(whole)
    assert len(expected) == (4 if ratio == 1 else 6)
    for one, other in zip(outcome(constant), expected, strict=True):
        assert torch.equal(one, other)


def test_only_such_networks_are_replaced(
    tmp_path: Path,
    opaque_checkpoint: Path,
    empty_checkpoint: Path,
    random_checkpoint: Path,
    light_checkpoint: Path,
) -> None:
    assert gives_a_constant(trained(opaque_checkpoint))
    assert gives_a_constant(trained(empty_checkpoint))
    assert not gives_a_constant(trained(random_checkpoint))
    assert not gives_a_constant(trained(write_varied_checkpoint(tmp_path / "varied.pth", 1)))
    assert is_marked(trained(light_checkpoint))
    assert not gives_a_constant(trained(light_checkpoint))
    assert not is_marked(trained(random_checkpoint))
    assert not is_marked(trained(opaque_checkpoint))


@pytest.mark.parametrize("ratio", [1.0, 0.5])
def test_what_a_light_network_gives_depends_on_all_that_a_job_may_spoil(
    ratio: float, tmp_path: Path, light_checkpoint: Path
) -> None:
    """On the frames before, how they are cut into chunks aside; on mirroring; on the weights."""
    source = smooth_source(FORMAT, 3, SIZE)

    def light(checkpoint: Path) -> LightNetwork:
        network = trained(checkpoint)
        return LightNetwork(network.for_inference(torch.float32, CPU), network, torch.float32)

    def alphas(network: LightNetwork, cuts: tuple[int, ...], *, kept: bool = True) -> torch.Tensor:
        features = network.extract_features(source, ratio)
        state, parts = None, []
        for first, stop in zip((0, *cuts), (*cuts, 3), strict=True):
            output, state = network.run_recurrent(
                features.between(first, stop), state if kept else None
            )
            state = network.load_state(state.to_bytes())
            assert state.fits(SIZE, ratio)
            parts.append(network.coarse_alpha(output))
        return torch.cat(parts)

    network = light(light_checkpoint)
    uncut = alphas(network, ())
    assert torch.equal(alphas(network, (1, 2)), uncut)
    lost = alphas(network, (1, 2), kept=False)
    assert torch.equal(lost[0], uncut[0])
    assert all(float((a - b).abs().max()) > 0.02 for a, b in zip(lost[1:], uncut[1:], strict=True))
    mirrored = network.extract_features(source, ratio, mirrored=True)
    seen = network.coarse_alpha(network.run_recurrent(mirrored, None)[0])
    assert not torch.equal(seen.flip(3), uncut)
    other = light(write_light_checkpoint(tmp_path / "other.pth", seed=21))
    assert not torch.equal(alphas(other, ()), uncut)
