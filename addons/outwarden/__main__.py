"""`python -m outwarden` is `outwarden`."""

from outwarden.cli import main

if __name__ == "__main__":
    main()
