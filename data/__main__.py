"""`python -m data`: see command.py. Little is here, because every process
that helps (parallel.py) reads this file anew."""

if __name__ == '__main__':
    import sys

    from data.command import main

    try:
        sys.exit(main())
    except (OSError, ValueError) as error:
        print(error, file=sys.stderr)
        sys.exit(1)
