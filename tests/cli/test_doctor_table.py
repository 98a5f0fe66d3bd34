"""The rows of the doctor's table."""

from __future__ import annotations

from matting.cli.doctor import row
from matting.cli.doctor_findings import Finding, State


def test_a_path_stays_in_one_piece_to_be_copied() -> None:
    path = "/" + "/".join(
        ["long folder"] * 2 + ["a_name_that_is_wider_than_the_column_of_text"] * 3
    )
    finding = Finding("Shared work", State.NOTE, f"after: pip install -r {path} in the folder")
    words = path.split()
    text = "\n".join(row(finding))
    assert all(word in text for word in words)
