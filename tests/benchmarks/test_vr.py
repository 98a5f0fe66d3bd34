"""The bench of VR: a proof that does not hold is seen, and what it measures are figures."""

from __future__ import annotations

import pytest

from benchmarks.vr.cost import COST_HEAD, cost_of
from benchmarks.vr.proofs import PROOF_HEAD, Proof


@pytest.mark.parametrize(
    ("found", "at_least", "holds"),
    [(1, False, True), (3, False, False), (3, True, True), (1, True, False)],
)
def test_a_proof_holds_within_its_bound(found: float, at_least: bool, holds: bool) -> None:
    proof = Proof("it", found, 2, at_least)
    assert proof.holds is holds
    assert proof.row()[-1] == ("yes" if holds else "NO")
    assert len(proof.row()) == len(PROOF_HEAD)


def test_costs_are_measured_in_a_process_of_their_own() -> None:
    cost = cost_of(64, 2)
    assert min(cost.maps.wall, cost.render.cpu, cost.encode.cpu) > 0
    assert 100 < cost.rendering_mib <= cost.encoding_mib
    assert len(cost.row(64)) == len(COST_HEAD)
