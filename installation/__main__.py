"""`python installation`, from any folder."""

import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parent.parent)
    from installation.setting_up import main

    sys.exit(main())
