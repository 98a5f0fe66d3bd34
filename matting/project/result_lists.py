"""file_list.txt: what there is to join, for people who do that themselves."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from matting.options import OutputKind
from matting.project.ledger import Ledger
from matting.project.paths import LIST_NAME
from matting.system import atomic_files


def concat_list(names: Sequence[str]) -> str:
    """Return a list of files as ffmpeg's concat demuxer reads it."""
    quoted = (name.replace("'", "'\\''") for name in names)
    return "".join(f"file '{name}'\n" for name in quoted)


def write_result_lists(ledger: Ledger, kinds: Iterable[OutputKind]) -> None:
    """List the results of each kind of video beside them; remove the list where there are none.

    Raises:
        StorageError: a list cannot be written.
    """
    for kind in kinds:
        outputs = [ledger.output(name, kind) for name in ledger.names]
        names = [path.name for path in outputs if path is not None and not path.is_dir()]
        path = ledger.folder.output_folder(kind) / LIST_NAME
        if names:
            atomic_files.write_text(path, concat_list(names))
        else:
            atomic_files.remove(path)
