"""`python -m gateway` is the console script `rerank-gateway`."""

from gateway.cli import app


def main() -> None:
    """Run the command line."""
    app(prog_name="rerank-gateway")


if __name__ == "__main__":
    main()
