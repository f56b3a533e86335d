"""`deploy/METRICS.md` says what the collector reads by."""

from deploy.metrics_table import FILE, text
from gateway.web.metrics_families import FAMILIES


def test_the_file_is_that_of_the_table() -> None:
    """The committed file is what `python -m deploy.metrics_table` would write now."""
    assert FILE.read_text(encoding="utf-8") == text()


def test_every_metric_is_in_it() -> None:
    """Each family has its row, with what it means."""
    for family in FAMILIES:
        assert f"| `{family.name}` | {family.kind} |" in text()
        assert family.help in text()
