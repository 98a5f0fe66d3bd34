"""The command `rvm-segments`, with the command line of `inference_custom.py`."""

from __future__ import annotations

import sys


def main() -> int:
    """Run the command that was typed; return its exit code."""
    from matting.system.import_path import leave_out_current_folder

    leave_out_current_folder()
    try:
        from matting.cli.main import main as run_command

        return run_command()
    except ModuleNotFoundError as error:
        from matting.system.fixes import setup

        print(f"The Python package {error.name} is missing.", file=sys.stderr)
        print(f"To fix it: {setup()}", file=sys.stderr)
        return 3
    except KeyboardInterrupt:  # before the program listens for it
        print("Interrupted. Run the same command again.", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
