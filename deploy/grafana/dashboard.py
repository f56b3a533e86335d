"""Makes `deploy/grafana/rerank-gateway.json`, the dashboard: `python -m deploy.grafana.dashboard`.

`panels` is the table of what it shows; this gives it Grafana's form. Nothing in it names an installation: the data
source is a variable, as are job, pod and campaign.
"""

from pathlib import Path
from typing import Any, Final

import orjson

from deploy.grafana.panels import ROWS, Panel

FILE: Final = Path(__file__).with_name("rerank-gateway.json")

PODS: Final = 'job=~"$job",instance=~"$instance"'
"""What `@` stands for."""

WIDTH, HEIGHT, COLUMNS = 8, 8, 24
"""Of a panel and of the page, in Grafana's units."""

DATASOURCE: Final = {"type": "prometheus", "uid": "${datasource}"}


def document() -> dict[str, Any]:
    """The dashboard."""
    panels: list[dict[str, Any]] = []
    top = 0
    for title, row in ROWS.items():
        panels.append(_row(len(panels) + 1, title, top))
        for place, panel in enumerate(row):
            down, across = divmod(place * WIDTH, COLUMNS)
            where = {"h": HEIGHT, "w": WIDTH, "x": across, "y": top + 1 + down * HEIGHT}
            panels.append(_panel(len(panels) + 1, panel, where))
        top += 1 + HEIGHT * -(-len(row) * WIDTH // COLUMNS)
    return {
        "uid": "rerank-gateway",
        "title": "rerank-gateway",
        "description": "What comes in, what goes upstream, what it costs, and what is saved. Made by "
        "`python -m deploy.grafana.dashboard`.",
        "tags": ["rerank-gateway", "personalize"],
        "schemaVersion": 39,
        "version": 1,
        "editable": True,
        "graphTooltip": 1,
        "refresh": "30s",
        "time": {"from": "now-3h", "to": "now"},
        "timezone": "browser",
        "templating": {"list": _variables()},
        "annotations": {"list": []},
        "panels": panels,
    }


def _variables() -> list[dict[str, Any]]:
    chosen = {"selected": True, "text": "All", "value": "$__all"}
    asked = {
        "job": "label_values(rerank_build_info, job)",
        "instance": 'label_values(rerank_build_info{job=~"$job"}, instance)',
        "campaign": 'label_values(rerank_rankings_total{job=~"$job"}, campaign)',
    }
    return [
        {"name": "datasource", "label": "Data source", "type": "datasource", "query": "prometheus", "refresh": 1},
        *(
            {
                "name": name,
                "type": "query",
                "datasource": DATASOURCE,
                "query": {"query": query, "refId": name},
                "definition": query,
                "refresh": 2,
                "includeAll": True,
                "multi": True,
                "allValue": ".*",
                "current": chosen,
                "sort": 1,
            }
            for name, query in asked.items()
        ),
    ]


def _row(number: int, title: str, top: int) -> dict[str, Any]:
    where = {"h": 1, "w": COLUMNS, "x": 0, "y": top}
    return {"id": number, "type": "row", "title": title, "collapsed": False, "gridPos": where, "panels": []}


def _panel(number: int, panel: Panel, where: dict[str, int]) -> dict[str, Any]:
    custom = {"fillOpacity": 20, "stacking": {"mode": "normal"}} if panel.stacked else {"fillOpacity": 5}
    options: dict[str, Any] = {"legend": {"displayMode": "list", "placement": "bottom"}, "tooltip": {"mode": "multi"}}
    if panel.kind != "timeseries":
        custom, options = {}, {"reduceOptions": {"calcs": ["lastNotNull"]}}
    return {
        "id": number,
        "type": panel.kind,
        "title": panel.title,
        "description": panel.about,
        "datasource": DATASOURCE,
        "gridPos": where,
        "fieldConfig": {"defaults": {"unit": panel.unit, "min": 0, "custom": custom}, "overrides": []},
        "options": options,
        "targets": [
            {
                "refId": chr(ord("A") + place),
                "datasource": DATASOURCE,
                "expr": query.expr.replace("@", PODS),
                "legendFormat": query.legend,
                "range": panel.kind == "timeseries",
                "instant": panel.kind != "timeseries",
            }
            for place, query in enumerate(panel.queries)
        ],
    }


def text() -> str:
    """The file."""
    return orjson.dumps(document(), option=orjson.OPT_INDENT_2).decode() + "\n"


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")
