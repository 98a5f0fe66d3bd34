"""What states descend from, told apart by identities that stay what they are on users' disks."""

from __future__ import annotations

from matting.project.entry import RecordedSettings
from matting.project.lineage import frames_identity, same_matte, same_matte_options, state_after
from matting.system.fingerprint import Fingerprint

START, SOURCE = "ab" * 32, Fingerprint(1, "cd" * 32)
PLAIN = RecordedSettings(checkpoint="5a" * 32, ratio=0.5)
SHOTS = RecordedSettings(checkpoint="5a" * 32, ratio=0.5, shots=(0, 7))


def test_the_identities_of_earlier_versions_are_todays() -> None:
    recorded = "c7be2177e43a3e8ccf12a6757d34aa593626dd7b176493cf81cb45e886086dbe"
    assert state_after(START, SOURCE, PLAIN) == recorded


def test_what_makes_states_differ() -> None:
    ahead = frames_identity([(SOURCE, 3)])
    others = [
        state_after(None, SOURCE, PLAIN),
        state_after(START, None, PLAIN),
        state_after(START, SOURCE, SHOTS),
        state_after(START, SOURCE, SHOTS, ahead),
        state_after(START, SOURCE, SHOTS, frames_identity([(SOURCE, 4)])),
        state_after(START, SOURCE, SHOTS, frames_identity([(None, 3)])),
        state_after(START, SOURCE, SHOTS, frames_identity([(SOURCE, 3)], unread=True)),
    ]
    assert len({state_after(START, SOURCE, PLAIN), *others}) == len(others) + 1


def test_where_shots_start_makes_another_matte_but_no_other_options() -> None:
    later = RecordedSettings(checkpoint="5a" * 32, ratio=0.5, shots=(5,))
    assert not same_matte(SHOTS, later) and same_matte_options(SHOTS, later)
    assert not same_matte(SHOTS, PLAIN) and not same_matte_options(SHOTS, PLAIN)
