"""The runbook is true to the code: every alert has its section, and whatever stands in code type really exists."""

import re
import shlex

import orjson
import pytest

from deploy.prometheus import rules
from tests.deploy.runbook_facts import ROOT
from tests.deploy.runbook_kinds import REDIS_REASONS, is_command, is_expression, is_route, known

RUNBOOK = ROOT / "deploy/RUNBOOK.md"

FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SPAN = re.compile(r"`([^`]+)`")
HEADING = re.compile(r"^(#+) +(.+?) *$", re.MULTILINE)
LINK = re.compile(r"\]\(([^)\s]*)\)")
LOOKS = re.compile(r"(Dashboard|Console): ((?:\*[^*]+\*(?:, |, and | and )?)+)")

TEXT = RUNBOOK.read_text(encoding="utf-8")
PLAIN = FENCE.sub("", TEXT)


def sections() -> dict[str, str]:
    """What stands under each heading, up to the next one of any level."""
    marks = list(HEADING.finditer(PLAIN_WITH_FENCES))
    ends = [*(one.start() for one in marks[1:]), len(PLAIN_WITH_FENCES)]
    return {one[2]: PLAIN_WITH_FENCES[one.end() : end] for one, end in zip(marks, ends, strict=True)}


PLAIN_WITH_FENCES = FENCE.sub(lambda block: re.sub(r"^#", " ", block[0], flags=re.MULTILINE), TEXT)
"""A comment in a shell block is no heading."""


def spans(text: str) -> list[str]:
    """What stands in code type within lines, on one line each."""
    return [" ".join(code.split()) for code in dict.fromkeys(SPAN.findall(text))]


def anchor(heading: str) -> str:
    """The anchor that a heading gets."""
    return re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")


def test_every_alert_has_its_section_and_every_section_its_alert() -> None:
    """Headings named after alerts are exactly the alerts, at the anchors that the rules lead to."""
    headings = [heading for _, heading in HEADING.findall(PLAIN) if re.fullmatch(r"Rerank[A-Za-z]+", heading)]
    alerts = [rule for group in rules.rules()["groups"] for rule in group["rules"] if "alert" in rule]
    assert headings == [rule["alert"] for rule in alerts]
    for rule in alerts:
        assert rule["annotations"]["runbook_url"] == f"deploy/RUNBOOK.md#{anchor(rule['alert'])}"


@pytest.mark.parametrize("alert", rules.ALERTS, ids=lambda alert: alert.name)
def test_a_section_says_what_it_means_how_to_see_it_and_what_to_do(alert: rules.Alert) -> None:
    """Each begins with its severity, has the three parts in order, asks for a metric, and names a line of the log."""
    text = sections()[alert.name]
    parts = ["**Means:**", "**Confirm:**", "**Do:**"]
    assert text.strip().startswith(f"{alert.severity.capitalize()}. **Means:**")
    assert [part for part in re.findall(r"\*\*\w+:\*\*", text) if part in parts] == parts
    confirm = text.partition("**Confirm:**")[2].partition("**Do:**")[0]
    asked_for = [code for code in (*spans(confirm), *_lines_of(confirm, "promql")) if is_expression(code)]
    assert asked_for, "no metric"
    assert re.search(r"Log:\s", confirm)


def test_the_list_of_alerts_is_whole() -> None:
    """Each alert stands once at the beginning of the alerts, in the column of its severity."""
    rows = [line.split("|") for line in sections()["Alerts"].splitlines() if line.startswith("|")]
    listed = {
        severity: [name for row in rows[2:] for name in re.findall(r"\[(\w+)\]", row[column])]
        for severity, column in (("page", 2), ("ticket", 3))
    }
    for severity, names in listed.items():
        assert sorted(names) == sorted(alert.name for alert in rules.ALERTS if alert.severity == severity)


def test_every_reason_of_the_cache_has_a_row() -> None:
    """Whatever word a failing cache is told by, its alert's table says what to do then; and it has no other words."""
    table = sections()["RerankCacheDown"].partition("| reason | then |")[2]
    first_cells = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    assert sorted(re.findall(r"`(\w+)`", " ".join(first_cells))) == sorted(REDIS_REASONS)


def test_every_name_exists() -> None:
    """All code type of the running text is of a kind, and exists as such."""
    assert [code for code in spans(PLAIN) if not known(code)] == []


def test_every_line_of_code_exists() -> None:
    """Blocks are PromQL that asks for what is said, or commands that there are."""
    for language, _ in FENCE.findall(TEXT):
        assert language in ("sh", "promql"), language
    for line in _lines_of(TEXT, "promql"):
        assert is_expression(line), line
    for line in _lines_of(TEXT, "sh"):
        for command in re.split(r" (?:&&|\|) ", line):
            words = shlex.split(command, comments=True)
            assert not words or words[0] == "export" or "=" in words[0] or is_command(" ".join(words)), command
            for place in re.findall(r"http://127\.0\.0\.1[^\s\"']*", command):
                assert is_route(place), place
            for names in re.findall(r"rerank_\(([a-z_|]+)\)", command):
                assert all(is_expression(f"rerank_{name}") for name in names.split("|")), command


@pytest.mark.parametrize(
    "wrong",
    ["rerank_invented_total", 'rerank_cache_up{user="x"}',
     'rerank_cache_up{side="read"}', "sum by (user) (rerank_cache_up)", "cache.fresh_ms", "tpss",
     "autoscaling.maxReplica", "GET /v1/campaign", "rerank-gateway keys rotate", "rerank-gateway config check --all",
     "python -m loadtests.capacities", "python -m loadtests.capacity --warm", "make deploy", '"breaker fell off"',
     "gateway/core/key.py", "rerank:99:{user}", "redis+ring://host", "RerankInvented", "[caches]"],
)  # fmt: skip
def test_control_what_does_not_exist_is_found(wrong: str) -> None:
    """A name of each kind that is nearly right is of no kind."""
    assert not known(wrong)


def test_every_link_leads_somewhere() -> None:
    """Anchors are headings of this file or of the one that is linked; files are there; the contents name all parts."""
    anchors = {anchor(heading) for _, heading in HEADING.findall(PLAIN)}
    for target in LINK.findall(PLAIN):
        file, _, place = target.partition("#")
        if not file:
            assert place in anchors, target
            continue
        linked = RUNBOOK.parent / file
        assert linked.exists(), target
        headings = HEADING.findall(FENCE.sub("", linked.read_text(encoding="utf-8")))
        assert not place or place in {anchor(heading) for _, heading in headings}, target
    contents = TEXT.partition("\n## ")[0]
    for level, heading in HEADING.findall(PLAIN):
        assert level != "##" or f"(#{anchor(heading)})" in contents, heading


def test_what_is_to_be_looked_at_is_there() -> None:
    """Panels of the dashboard and labels of the console that sections name exist under these names."""
    document = orjson.loads((ROOT / "deploy/grafana/rerank-gateway.json").read_bytes())
    panels = {panel["title"] for panel in document["panels"]}
    console = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "gateway/web/console_ui").glob("*.js"))
    looks = LOOKS.findall(TEXT.replace("\n", " "))
    assert {where for where, _ in looks} == {"Dashboard", "Console"}
    for where, names in looks:
        for name in re.findall(r"\*([^*]+)\*", names):
            assert (name in panels) if where == "Dashboard" else (f'"{name}"' in console), (where, name)


def test_schemas_are_those_of_the_code() -> None:
    """The table of schemas names each that there is, by its number: whoever raises one has to say so here."""
    table = sections()["Schema of stored values"]
    found = {
        path.relative_to(ROOT).as_posix(): match[1]
        for path in sorted((ROOT / "gateway").rglob("*.py"))
        if (
            match := re.search(
                r"^(?:SCHEMA: Final = |ENVELOPE: Final = Envelope\(.*schema=)(\d+)", path.read_text(), re.MULTILINE
            )
        )
    }
    assert len(found) == 4
    for file, number in found.items():
        (row,) = (line for line in table.splitlines() if f"`{file}`" in line)
        now = row.split("|")[3].strip()
        assert now in (number, f"`rerank:{number}:`"), row


def _lines_of(text: str, language: str) -> list[str]:
    """The lines of code blocks in a language, continued ones joined."""
    blocks = [block for of, block in FENCE.findall(text) if of == language]
    return [line for block in blocks for line in block.replace("\\\n", " ").splitlines() if line.strip()]
