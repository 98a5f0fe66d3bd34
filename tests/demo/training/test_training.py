"""Training runs the program's own network, and its checkpoint finds the figure in a new film."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor

from demo.film import EVALUATION_SEEDS, Film
from demo.training.data import Clip, Cut
from demo.training.evaluate import BOUNDS, evaluate
from demo.training.losses import losses
from demo.training.train import predict, save
from model import MattingNetwork, load_network

CHECKPOINT = Path(__file__).parents[3] / "demo" / "demo_checkpoint.pth"


def test_training_clips_are_repeatable() -> None:
    cut = Cut(2, 3, (48, 64), (60, 90))
    first, again, other = Clip(cut, 1, 0)[4], Clip(cut, 1, 0)[4], Clip(cut, 1, 0)[5]
    assert [tuple(x.shape) for x in first] == [(2, 3, 3, 48, 64)] * 2 + [(2, 3, 1, 48, 64)]
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))
    assert not torch.equal(first[0], other[0])


def test_the_truth_has_no_loss() -> None:
    fgr, pha = torch.rand(1, 2, 3, 40, 48), torch.rand(1, 2, 1, 40, 48)
    exact = losses(fgr, pha, torch.zeros(1, 2, 1, 40, 48), fgr, pha)
    assert (exact.total() - 0.2 * exact.segmentation).item() == 0
    assert losses(fgr, pha * 0.9, torch.zeros(1, 2, 1, 40, 48), fgr, pha).total() > exact.total()


@pytest.mark.parametrize("ratio", [1.0, 0.5])
def test_training_runs_the_very_same_network(ratio: float) -> None:
    torch.manual_seed(0)
    net = MattingNetwork().eval()
    src = torch.rand(1, 2, 3, 64, 96)
    with torch.no_grad():
        fgr, pha, _, rec = predict(net, src, None, ratio)
        expected_fgr, expected_pha, expected_rec = net(src, None, ratio)
    torch.testing.assert_close(fgr.clamp(0, 1), expected_fgr)
    torch.testing.assert_close(pha.clamp(0, 1), expected_pha)
    torch.testing.assert_close(rec, expected_rec)


def test_saving_halves_what_is_not_whole_numbers(tmp_path: Path) -> None:
    net = MattingNetwork()
    save(net, tmp_path / "new" / "net.pth")
    loaded = load_network(tmp_path / "new" / "net.pth")
    for name, value in net.state_dict().items():
        expected = value.half().to(value.dtype) if value.is_floating_point() else value
        assert torch.equal(loaded.state_dict()[name], expected), name


def test_the_checkpoint_holds_the_networks_names_in_half_precision() -> None:
    state: dict[str, Tensor] = torch.load(CHECKPOINT, map_location="cpu", weights_only=True)
    expected = MattingNetwork().state_dict()
    assert list(state) == list(expected)
    assert len(state) == 380
    for name, value in state.items():
        assert value.shape == expected[name].shape
        assert value.dtype == (torch.int64 if name.endswith("tracked") else torch.float16)
        assert not value.is_floating_point() or value.isfinite().all()


def test_the_checkpoint_finds_the_figure_in_an_unseen_film() -> None:
    film = Film(EVALUATION_SEEDS[-1], 640, 360, 8, cuts=(5,), flashes=(3,))
    # A small copy of 480x270, as in the demo.
    errors = evaluate(load_network(CHECKPOINT), film, ratio=0.75)
    assert errors.alpha <= BOUNDS["alpha"]
    assert errors.edge <= BOUNDS["edge"]
    assert errors.found == 1
