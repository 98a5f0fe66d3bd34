"""RVM on Segments: the command line. See README.md."""

import sys

if __name__ == "__main__":
    try:
        from matting.cli import main
    except ModuleNotFoundError as error:
        print(f"The Python package {error.name} is missing.", file=sys.stderr)
        print("Install it: python -m pip install -r requirements_inference.txt", file=sys.stderr)
        sys.exit(3)
    except KeyboardInterrupt:
        sys.exit(130)
    sys.exit(main())
