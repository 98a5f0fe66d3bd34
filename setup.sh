#!/bin/sh
# Linux and macOS: sets up .venv beside this file, with all that the program needs. Can be run again.
#
#     sh setup.sh [--cpu] [--from OLD_FOLDER]
home=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd -P) || exit 2
if [ ! -f "$home/installation/python_check.py" ] || [ ! -f "$home/inference_custom.py" ]; then
    echo "Some files that belong with setup.sh are missing." >&2
    echo "Unpack the whole download into one folder, and run setup.sh there." >&2
    exit 3
fi

# It may name the current folder; modules that lie there would be run.
unset PYTHONPATH

# The newest suitable one; each says itself why it is not.
for name in python3.13 python3.12 python3.11 python3.10 python3 python; do
    python=$(command -v "$name" 2> /dev/null)
    case $python in
        /*) ;;
        *) continue ;; # it is not there, or in the current folder
    esac
    if "$python" "$home/installation/python_check.py" base 2> /dev/null < /dev/null; then
        exec "$python" "$home/installation" "$@"
    fi
done

echo "No Python 3.10 to 3.13 was found here: one is brought into the folder .python, for this program alone." >&2
python=$(sh "$home/installation/bring_python.sh")
code=$?
if [ "$code" = 0 ] && "$python" "$home/installation/python_check.py" base >&2 < /dev/null; then
    exec "$python" "$home/installation" "$@"
fi
[ "$code" != 0 ] || code=3
[ "$code" != 130 ] || exit 130
echo "" >&2
echo "Or install a Python yourself, then run setup.sh again:" >&2
echo "  Debian, Ubuntu   sudo apt install python3 python3-venv" >&2
echo "  Fedora           sudo dnf install python3.13" >&2
echo "  macOS            https://www.python.org/downloads/macos/" >&2
exit "$code"
