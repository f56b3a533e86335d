"""The dashboard and the alert rules ask for what there is: every metric, every label, every word of a label."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
import yaml

from deploy.grafana import dashboard
from deploy.prometheus import cases, rules
from gateway.core.breaker import State
from gateway.service.gate_numbers import OUTCOMES
from gateway.service.result import Degraded
from gateway.web.events_api import NOT_INVALIDATED
from gateway.web.metrics_families import FAMILIES
from gateway.web.problems import BUG, TABLE
from tests.deploy import promtool
from tests.deploy.conftest import CANARY, Samples
from tests.deploy.promql import asked, words

OF_PROMETHEUS = {"namespace", "job", "instance", "le"}
"""Labels that come with the scrape, or of every histogram."""

WORDS: dict[str, set[str]] = {
    "degraded": {"", NOT_INVALIDATED, *Degraded},
    "error": {row.slug for row in (*TABLE.values(), BUG)},
    "outcome": {*OUTCOMES, "won", "lost", "hits", "misses", "saves", "bumps", "told"},
    "state": set(State),
    "reason": {"busy", "resting"},
}
"""What a label may be asked for by name."""

RUNBOOK = Path(rules.__file__).parents[1] / "RUNBOOK.md"

PROMTOOL = promtool.found()
needs_promtool = pytest.mark.skipif(PROMTOOL is None, reason="no promtool (Debian: prometheus)")


def panels() -> list[dict[str, Any]]:
    """The panels of the committed dashboard that show something."""
    document = orjson.loads(dashboard.FILE.read_bytes())
    return [panel for panel in document["panels"] if panel["type"] != "row"]


def of_rules(kind: str) -> list[dict[str, Any]]:
    """The committed rules of a kind: record or alert."""
    document = yaml.safe_load(rules.FILE.read_text(encoding="utf-8"))
    return [rule for group in document["groups"] for rule in group["rules"] if kind in rule]


def expressions() -> Iterator[tuple[str, str]]:
    """Every expression, and where it stands."""
    for panel in panels():
        for target in panel["targets"]:
            yield panel["title"], target["expr"]
    for kind in ("record", "alert"):
        for rule in of_rules(kind):
            yield rule[kind], rule["expr"]


ALL = list(expressions())


@pytest.mark.parametrize("made", [dashboard, rules, cases], ids=lambda made: made.__name__)
def test_the_files_are_those_of_their_programs(made: Any) -> None:
    """Each committed file is what its program would write now."""
    assert made.FILE.read_text(encoding="utf-8") == made.text()


async def test_every_metric_is_said_by_a_gateway_that_served_traffic(said: tuple[str, Samples]) -> None:
    """Whatever the dashboard and the rules ask for has a sample in `/metrics`, with the labels that they use; and of
    what was asked of that gateway nothing is in it."""
    text, samples = said
    recorded = {rule["record"] for rule in of_rules("record")}
    for where, expression in ALL:
        found = asked(expression)
        known = set(OF_PROMETHEUS)
        for metric, matchers in found.metrics.items():
            if metric in recorded:
                continue
            assert metric in samples, f"{where}: {metric} is not said"
            labels = {label for one in samples[metric] for label in one} | OF_PROMETHEUS
            assert {label for label, _, _ in matchers} <= labels, f"{where}: {metric} has no such label"
            known |= labels
        assert found.grouped <= known, f"{where}: groups by what is not there"
    assert CANARY not in text


async def test_no_line_of_that_gateway_names_anybody(said: tuple[str, Samples], lines: list[Any]) -> None:
    """The same traffic left lines of every kind, and none of the ids that were sent."""
    assert {"debug", "info", "warning"} <= {line["log_level"] for line in lines}
    assert CANARY not in str(lines)


async def test_control_the_walk_finds_what_is_not_there(
    said: tuple[str, Samples], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A metric that nobody says, a label that it does not have, a group by one: each is noticed."""
    for wrong in ("rate(rerank_invented_total[5m])", 'rerank_cache_up{user="x"}', "sum by (user) (rerank_cache_up)"):
        monkeypatch.setattr(f"{__name__}.ALL", [("wrong", wrong)])
        with pytest.raises(AssertionError, match="wrong"):
            await test_every_metric_is_said_by_a_gateway_that_served_traffic(said)


def test_words_are_those_of_the_code() -> None:
    """A value that is asked for by name is one that the code gives: a misspelt one would be silent for ever."""
    for where, expression in ALL:
        for matchers in asked(expression).metrics.values():
            for label, operation, value in matchers:
                if label in WORDS:
                    assert set(words(operation, value)) <= WORDS[label], f"{where}: {label}={value}"


def test_every_metric_is_shown_or_watched() -> None:
    """No number is gathered for nobody: each family is in the dashboard or in a rule."""
    used = {metric for _, expression in ALL for metric in asked(expression).metrics}
    for family in FAMILIES:
        names = {family.name, *(family.name + end for end in ("_bucket", "_sum", "_count"))}
        assert names & used, f"{family.name} is neither shown nor watched"


def test_the_dashboard_is_of_no_installation() -> None:
    """Its data source is a variable, ids are its own, panels do not lie on each other."""
    document = orjson.loads(dashboard.FILE.read_bytes())
    assert [one["name"] for one in document["templating"]["list"]] == ["datasource", "job", "instance", "campaign"]
    for panel in panels():
        for holder in (panel, *panel["targets"]):
            assert holder["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
    ids = [panel["id"] for panel in document["panels"]]
    assert len(set(ids)) == len(ids)
    taken: set[tuple[int, int]] = set()
    for panel in document["panels"]:
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert not cells & taken, panel["title"]
        assert at["x"] + at["w"] <= 24
        taken |= cells


def test_every_alert_says_what_to_do() -> None:
    """Each has a severity, a summary, and a place in the runbook of its own; each has a case with its control."""
    alerts = of_rules("alert")
    assert len({alert["alert"] for alert in alerts}) == len(alerts)
    for alert in alerts:
        assert alert["labels"]["severity"] in ("page", "ticket")
        assert alert["annotations"]["runbook_url"] == f"deploy/RUNBOOK.md#{alert['alert'].lower()}"
        assert alert["annotations"]["summary"]
        assert alert["for"]
    assert {alert["alert"] for alert in alerts} == {case.alert for case in cases.CASES}


def test_the_runbook_has_every_alert() -> None:
    """The anchor that an alert leads to is a heading of the runbook."""
    headings = re.findall(r"^#+ +(.+?) *$", RUNBOOK.read_text(encoding="utf-8"), re.MULTILINE)
    anchors = {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}
    assert {alert.name.lower() for alert in rules.ALERTS} <= anchors


@needs_promtool
@pytest.mark.parametrize(
    "arguments", [("check", "rules", rules.FILE), ("test", "rules", cases.FILE)], ids=["check", "test"]
)
def test_promtool_agrees(arguments: tuple[Any, ...]) -> None:
    """Prometheus' own tool takes the rules; each alert fires in its case, and not in the control."""
    assert PROMTOOL is not None
    done = subprocess.run([PROMTOOL, *map(str, arguments)], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
