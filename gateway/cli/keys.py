"""`rerank-gateway keys`: credentials for callers, made where the owner of the gateway can hand them over."""

import hashlib
import secrets
from typing import Final

import typer

app = typer.Typer(help="Make credentials for callers of the gateway.", no_args_is_help=True)

KEY_BYTES: Final = 32
"""256 bits: a key that nobody guesses, so its plain SHA-256 gives nothing away."""


@app.callback()
def group() -> None:
    """Make credentials for callers of the gateway."""


@app.command()
def new() -> None:
    """Make a bearer key: printed once, together with the SHA-256 that goes into `keys_sha256` or a `keys_file`."""
    key = f"rgk_{secrets.token_urlsafe(KEY_BYTES)}"
    print(f"key     {key}")
    print(f"sha256  {hashlib.sha256(key.encode()).hexdigest()}")


@app.command()
def pair() -> None:
    """Make a key pair for an AWS SDK: for the caller's credentials, and for `key_pairs` or a `key_pairs_file`."""
    print(f"access_key_id      GWAK{secrets.token_hex(8).upper()}")
    print(f"secret_access_key  {secrets.token_urlsafe(KEY_BYTES)}")
