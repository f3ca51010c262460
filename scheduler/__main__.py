"""Run the command line with ``python -m scheduler``."""

from scheduler.cli.main import main

if __name__ == "__main__":
    main()
