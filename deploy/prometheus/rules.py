"""Makes `deploy/prometheus/rules.yaml`, the recording and alert rules: `python -m deploy.prometheus.rules`.

Two promises have an error budget: requests are answered (99.9 % without a fault of ours, 5xx), and rankings are whole
(99 % not degraded; `stale` is left out, since it is also how the cache spares callers a wait). Their alerts look at two
windows each: the long one says that it matters, the short one that it still goes on.

Everything is per `namespace` and `job`, as Prometheus labels what it scrapes. Thresholds stand in this file. Every
alert leads to its part of the runbook.
"""

from pathlib import Path
from typing import Any, Final, NamedTuple

import yaml

FILE: Final = Path(__file__).with_name("rules.yaml")

RUNBOOK: Final = "deploy/RUNBOOK.md"
"""Where the runbook is; put the address of your copy here."""

BY: Final = "by (namespace, job)"
BY_ARN: Final = "by (namespace, job, campaign, variant, arn)"
BY_GATE: Final = "by (namespace, job, campaign, variant)"

CALLERS: Final = (
    'route=~"/personalize-ranking|/recommendations|/action-recommendations|/events|/v1/(rerank|rerank/shelves|events|'
    'rankings/.*|users/.*)"'
)
"""What callers ask for: probes, scrapes and typing errors are in no promise."""

PARTLY: Final = 'degraded!~"|stale"'

WINDOWS: Final = ("5m", "30m", "1h", "2h", "6h", "1d", "3d")

ERROR_BUDGET: Final = 0.001
DEGRADED_BUDGET: Final = 0.01

FAST: Final = ((14.4, "1h", "5m"), (6.0, "6h", "30m"))
SLOW: Final = ((3.0, "1d", "2h"), (1.0, "3d", "6h"))
"""How many times faster than allowed the budget of 30 days is spent, over a long and a short window: at 14.4 a
fiftieth of it goes in an hour."""


class Alert(NamedTuple):
    """One alert: `page` wakes somebody up, `ticket` waits for the morning."""

    name: str
    severity: str
    for_: str
    summary: str
    expr: str


def errors(window: str) -> str:
    """The share of callers' requests that ended in a fault of ours."""
    return (
        f'sum {BY} (rate(rerank_requests_total{{{CALLERS},status=~"5.."}}[{window}]))\n'
        f"/ sum {BY} (rate(rerank_requests_total{{{CALLERS}}}[{window}]))"
    )


def degraded(window: str) -> str:
    """The share of rankings that were not whole."""
    return (
        f"sum {BY} (rate(rerank_rankings_total{{{PARTLY}}}[{window}]))\n"
        f"/ sum {BY} (rate(rerank_rankings_total[{window}]))"
    )


RATIOS: Final = {"errors": errors, "degraded": degraded}


def burns(ratio: str, budget: float, pairs: tuple[tuple[float, str, str], ...]) -> str:
    """Whether a budget is spent too fast, over a long and a short window of any pair."""
    return "\nor\n".join(
        f"(rerank:{ratio}:ratio_rate{long} > {factor:g} * {budget:g}"
        f" and rerank:{ratio}:ratio_rate{short} > {factor:g} * {budget:g})"
        for factor, long, short in pairs
    )


def share(of: str, among: str, window: str, by: str = BY) -> str:
    """The rate of one counter among that of another."""
    return f"sum {by} (rate({of}[{window}]))\n/ sum {by} (rate({among}[{window}]))"


ALERTS: Final = (
    Alert("RerankErrorBudgetBurn", "page", "2m", "Requests fail so often that the error budget is soon gone",
          burns("errors", ERROR_BUDGET, FAST)),
    Alert("RerankErrorBudgetBurnSlow", "ticket", "15m", "Requests fail more often than the error budget allows",
          burns("errors", ERROR_BUDGET, SLOW)),
    Alert("RerankDegradedBudgetBurn", "page", "2m", "Rankings are degraded so often that their budget is soon gone",
          burns("degraded", DEGRADED_BUDGET, FAST)),
    Alert("RerankDegradedBudgetBurnSlow", "ticket", "15m", "Rankings are degraded more often than the budget allows",
          burns("degraded", DEGRADED_BUDGET, SLOW)),
    Alert("RerankDeadlinesMissed", "page", "10m", "More than 2 % of the answers come without what the deadline cut off",
          f'(sum {BY} (rate(rerank_requests_total{{degraded="deadline"}}[10m])'
          ' or rate(rerank_errors_total{error="deadline"}[10m])))\n'
          f"/ sum {BY} (rate(rerank_requests_total{{{CALLERS}}}[10m])) > 0.02"),
    Alert("RerankBreakerOpen", "page", "2m", "A campaign's ARN fails so often that it is left alone",
          f'sum {BY_ARN} (rerank_breaker_state{{state!="closed"}}) > 0'),
    Alert("RerankUpstreamFailing", "ticket", "10m", "More than a tenth of the attempts to an ARN fail",
          share('rerank_upstream_attempts_total{outcome=~"failed|timed_out"}', "rerank_upstream_attempts_total", "10m",
                BY_ARN) + " > 0.1"),
    Alert("RerankUpstreamThrottled", "ticket", "10m", "More than 5 % of the attempts to an ARN are throttled",
          share('rerank_upstream_attempts_total{outcome="throttled"}', "rerank_upstream_attempts_total", "10m", BY_ARN)
          + " > 0.05"),
    Alert("RerankExtraBudgetSpent", "ticket", "15m", "Retries and hedges are wanted that their budget does not allow",
          share("rerank_extra_attempts_refused_total", "rerank_upstream_calls_total", "10m", BY_GATE) + " > 0.01"),
    Alert("RerankCallsRefused", "page", "5m", "Calls are refused because too many wait for the campaign",
          f'sum {BY_GATE} (rate(rerank_calls_refused_total{{reason="busy"}}[5m]))\n'
          f"/ (sum {BY_GATE} (rate(rerank_upstream_calls_total[5m])) + "
          f'sum {BY_GATE} (rate(rerank_calls_refused_total{{reason="busy"}}[5m]))) > 0.01'),
    Alert("RerankOverloaded", "page", "5m", "Requests are refused because the pods cannot compute more",
          f"sum {BY} (rate(rerank_overload_refusals_total[5m]))\n"
          f"/ sum {BY} (rate(rerank_requests_total{{{CALLERS}}}[5m])) > 0.01"),
    Alert("RerankEventLoopLag", "ticket", "10m", "One in a hundred moments finds the event loop 100 ms late",
          "histogram_quantile(0.99, sum by (namespace, job, instance, le)"
          " (rate(rerank_event_loop_lag_seconds_bucket[10m]))) > 0.1"),
    Alert("RerankCredentialsExpiring", "page", "1m", "Credentials end within 15 minutes, and there are no new ones",
          "min by (namespace, job, instance) (rerank_credentials_expiry_seconds) < 900\n"
          "and on (namespace, job, instance) increase(rerank_credentials_refresh_failures_total[15m]) > 0"),
    Alert("RerankCredentialsUnusable", "page", "1m", "Calls cannot be signed",
          "min by (namespace, job, instance) (rerank_credentials_usable) == 0"),
    Alert("RerankCacheDown", "page", "2m", "The cache does not answer: every ranking is learnt anew, and billed",
          "min by (namespace, job, side) (rerank_cache_up) == 0"),
    Alert("RerankCacheErrors", "ticket", "10m", "More than 5 % of the cache's operations fail",
          f"sum {BY} (rate(rerank_cache_errors_total[10m]))\n"
          f"/ sum {BY} (rate(rerank_cache_operations_total[10m])) > 0.05"),
    Alert("RerankBackgroundDropped", "ticket", "5m", "Frames are not stored for want of room in the background",
          f"sum {BY} (rate(rerank_background_dropped_total[10m])) > 0"),
    Alert("RerankAbsent", "page", "5m", "No gateway is scraped", "absent(rerank_build_info)"),
)  # fmt: skip


def rules() -> dict[str, Any]:
    """The document."""
    recorded = [
        {"record": f"rerank:{name}:ratio_rate{window}", "expr": ratio(window)}
        for name, ratio in RATIOS.items()
        for window in WINDOWS
    ]
    recorded.append(
        {
            "record": "rerank:saved_calls:ratio_rate1h",
            "expr": f"sum {BY} (rate(rerank_saved_calls_total[1h]))\n/ (sum {BY} (rate(rerank_saved_calls_total[1h]))"
            f" + sum {BY} (rate(rerank_billed_calls_total[1h])))",
        }
    )
    return {
        "groups": [
            {"name": "rerank-gateway.recording", "rules": recorded},
            {"name": "rerank-gateway.alerts", "rules": [*map(_alert, ALERTS)]},
        ]
    }  # fmt: skip


def _alert(alert: Alert) -> dict[str, Any]:
    return {
        "alert": alert.name,
        "expr": alert.expr,
        "for": alert.for_,
        "labels": {"severity": alert.severity},
        "annotations": {"summary": alert.summary, "runbook_url": f"{RUNBOOK}#{alert.name.lower()}"},
    }


class _Dumper(yaml.SafeDumper):
    """Writes expressions of several lines as blocks."""


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _text)


def text() -> str:
    """The file."""
    head = "# Made by `python -m deploy.prometheus.rules`; its docstring says what the rules are about.\n"
    return head + yaml.dump(rules(), Dumper=_Dumper, sort_keys=False, width=1_000, allow_unicode=True)


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")
