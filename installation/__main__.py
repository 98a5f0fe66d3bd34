"""Set up `.venv` with the packages that the program needs: `python installation`, from any folder.

setup.bat and setup.sh start this. Nothing here needs more than the standard library, nor anything
of the program, because it runs before any package is installed.
"""

import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parent.parent)
    from installation.installer import main

    sys.exit(main(arguments=sys.argv[1:]))
