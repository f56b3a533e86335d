"""The command line: one file per command. Commands import what they run only when they run, so `--help` is quick."""

import typer

from gateway.cli import audit, config, demo, emulate, keys, rank, serve

app = typer.Typer(
    help="One ranking call without the 500-item limit: a gateway in front of Amazon Personalize that takes any number "
    "of candidates and returns the order and the scores that one unlimited call would have given.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("serve")(serve.serve)
app.command("demo")(demo.demo)
app.command("emulate")(emulate.emulate)
app.command("rank")(rank.rank)
app.command("audit")(audit.audit)
app.add_typer(config.app, name="config")
app.add_typer(keys.app, name="keys")
