"""Makes `deploy/prometheus/tests/alerts.yaml`, cases for `promtool test rules`: `python -m deploy.prometheus.cases`.

Every alert has a case in which it fires and a control, as near to it as makes sense, in which it does not. Samples are
a minute apart; `0+98x120` is a counter that rises by 98 in each of 120 minutes.
"""

from pathlib import Path
from typing import Any, Final, NamedTuple

import yaml

from deploy.prometheus.rules import ALERTS, RUNBOOK

FILE: Final = Path(__file__).with_name("tests") / "alerts.yaml"

ARN: Final = "arn:aws:personalize:eu-west-1:123456789012:campaign/storefront"
POD: Final = {"namespace": "shop", "job": "rerank-gateway", "instance": "a"}
JOB: Final = {"namespace": "shop", "job": "rerank-gateway"}
BESIDE: Final = {"namespace": "shop", "job": "control", "instance": "a"}
"""Where the controls are: beside the case, in the same Prometheus."""

EVERY: Final = "2m"
"""How often rules are evaluated here: half as often as usual, in half the time."""

GATE: Final = {"campaign": "storefront"}
LANE: Final = {**GATE, "arn": ARN}

REQUESTS, RANKINGS = "rerank_requests_total", "rerank_rankings_total"
ATTEMPTS, CALLS = "rerank_upstream_attempts_total", "rerank_upstream_calls_total"
RERANK: Final = {"route": "/v1/rerank"}
GOOD: Final = (REQUESTS, {**RERANK, "status": "200"}, "0+100x120")

Series = tuple[str, dict[str, str], str]


class Case(NamedTuple):
    """With these series the alert fires at that time, under these labels; with those of the control it does not."""

    alert: str
    at: str
    series: tuple[Series, ...]
    control: tuple[Series, ...]
    labels: dict[str, str] = JOB


def failing(bad: float, minutes: int = 120) -> tuple[Series, ...]:
    """Callers' requests of which so many in a hundred fail, and probes that all succeed."""
    return (
        (REQUESTS, {**RERANK, "status": "200"}, f"0+{100 - bad:g}x{minutes}"),
        (REQUESTS, {**RERANK, "status": "503"}, f"0+{bad:g}x{minutes}"),
        (REQUESTS, {"route": "/readyz", "status": "200"}, f"0+1000x{minutes}"),
    )


def over(minutes: int, bad: float) -> tuple[Series, ...]:
    """The same for an hour, and then no more failures."""
    return (
        (REQUESTS, {**RERANK, "status": "200"}, f"0+100x{60 + minutes}"),
        (REQUESTS, {**RERANK, "status": "503"}, f"0+{bad:g}x60 {60 * bad:g}+0x{minutes}"),
    )


def partly(bad: float, reason: str = "upstream") -> tuple[Series, ...]:
    """Rankings of which so many in a hundred are degraded."""
    return (
        (RANKINGS, GATE, f"0+{100 - bad:g}x120"),
        (RANKINGS, {**GATE, "degraded": reason}, f"0+{bad:g}x120"),
    )


def attempts(outcome: str, bad: float) -> tuple[Series, ...]:
    """Attempts of which so many in a hundred end so."""
    return (
        (ATTEMPTS, {**LANE, "outcome": "answered"}, f"0+{100 - bad:g}x120"),
        (ATTEMPTS, {**LANE, "outcome": outcome}, f"0+{bad:g}x120"),
    )


def lag(slow: int) -> tuple[Series, ...]:
    """Moments of which so many in a thousand find the loop more than 100 ms late."""
    name = "rerank_event_loop_lag_seconds_bucket"
    return (
        (name, {"le": "0.1"}, f"0+{1000 - slow}x120"),
        (name, {"le": "0.2"}, "0+1000x120"),
        (name, {"le": "+Inf"}, "0+1000x120"),
    )


CASES: Final = (
    Case("RerankErrorBudgetBurn", "75m", failing(2), failing(0.5)),
    Case("RerankErrorBudgetBurn", "65m", over(60, 20), failing(0)),
    Case("RerankErrorBudgetBurn", "30m", failing(2), (*failing(0), (REQUESTS, {"route": "none", "status": "500"},
         "0+50x120"))),
    Case("RerankErrorBudgetBurnSlow", "100m", failing(0.5), failing(0.05)),
    Case("RerankDegradedBudgetBurn", "75m", partly(20), partly(5)),
    Case("RerankDegradedBudgetBurn", "75m", partly(20), partly(100, "stale")),
    Case("RerankDegradedBudgetBurnSlow", "100m", partly(5), partly(0.5)),
    Case("RerankDeadlinesMissed", "30m",
         (GOOD, (REQUESTS, {**RERANK, "status": "200", "degraded": "deadline"}, "0+2x120"),
          ("rerank_errors_total", {"error": "deadline"}, "0+2x120")),
         (GOOD, ("rerank_errors_total", {"error": "deadline"}, "0+1x120"),
          ("rerank_errors_total", {"error": "too-large"}, "0+50x120"))),
    Case("RerankBreakerOpen", "10m",
         (("rerank_breaker_state", {**LANE, "state": "closed"}, "1 0x30"),
          ("rerank_breaker_state", {**LANE, "state": "open"}, "0 1 1 0 1x30"),
          ("rerank_breaker_state", {**LANE, "state": "half-open"}, "0 0 0 1 0x30")),
         (("rerank_breaker_state", {**LANE, "state": "closed"}, "1x30"),
          ("rerank_breaker_state", {**LANE, "state": "open"}, "0x30")), {**JOB, **LANE}),
    Case("RerankUpstreamFailing", "30m", attempts("failed", 20), attempts("failed", 5), {**JOB, **LANE}),
    Case("RerankUpstreamFailing", "30m", attempts("timed_out", 20), attempts("cancelled", 20), {**JOB, **LANE}),
    Case("RerankUpstreamThrottled", "30m", attempts("throttled", 10), attempts("throttled", 2), {**JOB, **LANE}),
    Case("RerankExtraBudgetSpent", "30m",
         ((CALLS, GATE, "0+100x120"), ("rerank_extra_attempts_refused_total", GATE, "0+5x120")),
         ((CALLS, GATE, "0+1000x120"), ("rerank_extra_attempts_refused_total", GATE, "0+5x120")), {**JOB, **GATE}),
    Case("RerankCallsRefused", "15m",
         ((CALLS, GATE, "0+100x120"), ("rerank_calls_refused_total", {**GATE, "reason": "busy"}, "0+10x120")),
         ((CALLS, GATE, "0+100x120"), ("rerank_calls_refused_total", {**GATE, "reason": "resting"}, "0+10x120")),
         {**JOB, **GATE}),
    Case("RerankOverloaded", "15m", (GOOD, ("rerank_overload_refusals_total", {}, "0+10x120")),
         (GOOD, ("rerank_overload_refusals_total", {}, "100x120"))),
    Case("RerankEventLoopLag", "30m", lag(20), lag(5), POD),
    Case("RerankCredentialsExpiring", "50m",
         (("rerank_credentials_expiry_seconds", {}, "3600-60x60"),
          ("rerank_credentials_refresh_failures_total", {}, "0+1x60")),
         (("rerank_credentials_expiry_seconds", {}, "3600-60x60"),
          ("rerank_credentials_refresh_failures_total", {}, "3x60")), POD),
    Case("RerankCredentialsUnusable", "10m", (("rerank_credentials_usable", {}, "1 0x60"),),
         (("rerank_credentials_usable", {}, "1x60"),), POD),
    Case("RerankCacheDown", "10m",
         (("rerank_cache_up", {"side": "reads"}, "1 0x60"), ("rerank_cache_up", {"side": "writes"}, "1x60")),
         (("rerank_cache_up", {"side": "reads"}, "1 1 1 1 1 1 1 1 0 1x60"),), {**JOB, "side": "reads"}),
    Case("RerankCacheErrors", "30m",
         (("rerank_cache_operations_total", {"outcome": "hits"}, "0+100x120"),
          ("rerank_cache_errors_total", {"reason": "timeout"}, "0+10x120")),
         (("rerank_cache_operations_total", {"outcome": "hits"}, "0+100x120"),
          ("rerank_cache_errors_total", {"reason": "timeout"}, "0+1x120"))),
    Case("RerankBackgroundDropped", "20m", (("rerank_background_dropped_total", {}, "0+1x120"),),
         (("rerank_background_dropped_total", {}, "7x120"),)),
    Case("RerankAbsent", "10m", (), (("rerank_build_info", {}, "1x120"),), {}),
)  # fmt: skip


def document() -> dict[str, Any]:
    """The document: a test for every case, and two on how the burn rate's windows work together."""
    tests = []
    for case in CASES:
        if case.labels:
            both = [(one, POD) for one in case.series] + [(one, BESIDE) for one in case.control]
            tests.append(_test(both, [(case.alert, case.at, case.labels)]))
        else:  # where there is nothing, nothing can stand beside it
            tests.append(_test([(one, POD) for one in case.series], [(case.alert, case.at, case.labels)]))
            tests.append(_test([(one, POD) for one in case.control], [(case.alert, case.at, None)]))
    ends = [("RerankErrorBudgetBurn", "65m", JOB), ("RerankErrorBudgetBurn", "100m", None)]
    hour = [(one, POD) for one in over(60, 20)]
    tests.append(_test(hour, ends))  # an hour of failures is over: the short windows let the alert go
    blip = ((REQUESTS, {**RERANK, "status": "200"}, "0+100x120"),
            (REQUESTS, {**RERANK, "status": "503"}, "0x90 0+10x3 30x17"))  # fmt: skip
    tests.append(_test([(one, POD) for one in blip], [("RerankErrorBudgetBurn", "94m", None)]))  # it wakes nobody
    return {"rule_files": ["../rules.yaml"], "evaluation_interval": EVERY, "tests": tests}


def _test(
    series: list[tuple[Series, dict[str, str]]], expected: list[tuple[str, str, dict[str, str] | None]]
) -> dict[str, Any]:
    return {
        "interval": "1m",
        "input_series": [
            {"series": _series(name, where | labels), "values": values} for (name, labels, values), where in series
        ],
        "alert_rule_test": [
            {"eval_time": at, "alertname": name, "exp_alerts": [] if labels is None else [_alert(name, labels)]}
            for name, at, labels in expected
        ],
    }


def _alert(name: str, labels: dict[str, str]) -> dict[str, Any]:
    rule = next(one for one in ALERTS if one.name == name)
    return {
        "exp_labels": {**labels, "severity": rule.severity},
        "exp_annotations": {"summary": rule.summary, "runbook_url": f"{RUNBOOK}#{name.lower()}"},
    }


def _series(name: str, labels: dict[str, str]) -> str:
    matchers = [f'{label}="{value}"' for label, value in labels.items()]
    return f"{name}{{{','.join(matchers)}}}"


def text() -> str:
    """The file."""
    head = "# Made by `python -m deploy.prometheus.cases`, for `promtool test rules`.\n"
    return head + yaml.safe_dump(document(), sort_keys=False, width=1_000)


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")
