"""RVM on Segments: the command line. See README.md."""

import sys

if __name__ == "__main__":
    from matting.cli import main

    sys.exit(main())
