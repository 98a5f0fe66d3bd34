"""RVM on Segments: the command line. See README.md."""

import sys

if __name__ == "__main__":
    try:
        from matting.cli import main

        code = main()
    except ModuleNotFoundError as error:
        print(f"The Python package {error.name} is missing.", file=sys.stderr)
        print("Install it: python -m pip install -r requirements_inference.txt", file=sys.stderr)
        code = 3
    except KeyboardInterrupt:  # before the program could listen
        print("Interrupted. Run the same command again.", file=sys.stderr)
        code = 130
    sys.exit(code)
