"""RVM on Segments: the command line. See README.md."""

import sys

if __name__ == "__main__":
    if sys.version_info < (3, 10):  # noqa: UP036 - an older one may run this
        print("Python 3.10 to 3.13 is needed, and this is an older one.", file=sys.stderr)
        print("Install one from https://www.python.org/downloads/", file=sys.stderr)
        sys.exit(3)
    if getattr(sys.flags, "safe_path", False):  # then this file's folder is not in the path
        sys.path.insert(0, __file__.replace("\\", "/").rpartition("/")[0] or ".")
    try:
        from matting.system.import_path import leave_out_current_folder

        leave_out_current_folder()
        from matting.cli.main import main

        code = main()
    except ModuleNotFoundError as error:
        print(f"The Python package {error.name} is missing.", file=sys.stderr)
        print("On Windows, double-click setup.bat; elsewhere: sh setup.sh", file=sys.stderr)
        code = 3
    except KeyboardInterrupt:  # before the program listens for it
        print("Interrupted. Run the same command again.", file=sys.stderr)
        code = 130
    sys.exit(code)
