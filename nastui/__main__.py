"""`python -m nastui`."""

from nastui.cli import main

main()
