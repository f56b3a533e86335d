"""The storefront and the soak are told what to do in the same words."""

from loadtests import soak
from loadtests.storefront import options_for

OWN = {"every_s", "short", "history"}


def test_the_soak_takes_the_storefronts_options() -> None:
    """Whatever the storefront is told, the soak is told in the same way; only how long and how much differs unless it
    is said, and it has some options of its own."""
    given = ["--ramp-s", "5", "--hold-s", "7", "--users", "3", "--share", "0.5", "--candidates", "9", "--json"]
    storefront = options_for(None, hold_s=300, share=0.8)
    ours, usual = vars(soak.options_in(given)), vars(soak.options_in([]))
    assert {name: value for name, value in ours.items() if name not in OWN} == vars(storefront.parse_args(given))
    changed = {name for name, value in vars(storefront.parse_args([])).items() if usual[name] != value}
    assert changed == {"hold_s", "share"}


def test_a_short_soak() -> None:
    """A short soak is a minute, whatever else is said."""
    assert soak.options_in(["--short", "--hold-s", "600"]).hold_s == 60
