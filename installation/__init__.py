"""Setting up: `.venv` with the packages that the program needs; started by setup.bat and setup.sh.

Standard library only, and nothing of the program: it runs before there is anything else.
"""
