"""What the dashboard shows, as a table: a row is a question, a panel has a title, a unit, and queries.

In a query `@` stands for the selector of the pods that were chosen at the top of the page.
"""

from typing import Final, NamedTuple

from deploy.prometheus.rules import CALLERS

OF_CAMPAIGN: Final = 'campaign=~"$campaign"'


class Query(NamedTuple):
    """One expression, and what its lines are called."""

    expr: str
    legend: str


class Panel(NamedTuple):
    """One panel; `kind` is Grafana's, `about` what to look for."""

    title: str
    unit: str
    queries: tuple[Query, ...]
    about: str = ""
    kind: str = "timeseries"
    stacked: bool = False


def per_second(metric: str, by: str, legend: str, selector: str = "") -> Query:
    """The rate of a counter by labels."""
    return Query(f"sum by ({by}) (rate({metric}{{@{selector}}}[$__rate_interval]))", legend)


def quantiles(metric: str, selector: str = "", by: str = "") -> tuple[Query, ...]:
    """The median, 95th and 99th percentile of a histogram."""
    labels, legend = (f"{by}, le", f"{{{{{by}}}}} ") if by else ("le", "")
    return tuple(
        Query(
            f"histogram_quantile({q}, sum by ({labels}) (rate({metric}_bucket{{@{selector}}}[$__rate_interval])))",
            f"{legend}p{round(100 * q)}",
        )
        for q in (0.5, 0.95, 0.99)
    )


def p95(metric: str, by: str, legend: str, selector: str = "") -> Query:
    """The 95th percentile of a histogram by a label."""
    rate = f"rate({metric}_bucket{{@{selector}}}[$__rate_interval])"
    return Query(f"histogram_quantile(0.95, sum by ({by}, le) ({rate}))", legend)


def share(part: str, whole: str, legend: str) -> Query:
    """The rate of one thing in that of another."""
    return Query(f"sum(rate({part}[$__rate_interval])) / sum(rate({whole}[$__rate_interval]))", legend)


def gauge(metric: str, by: str, legend: str, selector: str = "", fold: str = "sum") -> Query:
    """A gauge, added up over pods (or folded otherwise)."""
    return Query(f"{fold} by ({by}) ({metric}{{@{selector}}})", legend)


C: Final = f",{OF_CAMPAIGN}"
CALLED: Final = f",{CALLERS}"

ROWS: Final[dict[str, tuple[Panel, ...]]] = {
    "Traffic": (
        Panel("Requests by route", "reqps", (per_second("rerank_requests_total", "route", "{{route}}"),), stacked=True),
        Panel("Answers by status", "reqps", (per_second("rerank_requests_total", "status", "{{status}}", CALLED),),
              stacked=True),
        Panel("Errors by kind", "reqps", (per_second("rerank_errors_total", "error", "{{error}}"),)),
        Panel("Degraded rankings", "percentunit", (
            Query(f'sum by (degraded) (rate(rerank_rankings_total{{@{C},degraded!=""}}[$__rate_interval]))'
                  f" / scalar(sum(rate(rerank_rankings_total{{@{C}}}[$__rate_interval])))", "{{degraded}}"),),
              "Share of all rankings, by why they were not whole."),
        Panel("Rankings under way", "short", (gauge("rerank_inflight_requests", "instance", "{{instance}}"),
              gauge("rerank_inflight_limit", "instance", "{{instance}} limit")),
              "The limit is what the core can compute in time; above it requests are refused."),
        Panel("Refused for want of CPU", "reqps",
              (per_second("rerank_overload_refusals_total", "instance", "{{instance}}"),)),
    ),
    "Latency and deadline": (
        Panel("Requests", "s", quantiles("rerank_request_duration_seconds", CALLED)),
        Panel("p95 by route", "s", (p95("rerank_request_duration_seconds", "route", "{{route}}", CALLED),)),
        Panel("p95 by stage", "s", (p95("rerank_stage_seconds", "stage", "{{stage}}"),),
              "Queue is part of upstream; merge and encode are own CPU."),
        Panel("Cut off by the deadline", "percentunit", (
            share(f'rerank_requests_total{{@{CALLED},degraded="deadline"}}', f"rerank_requests_total{{@{CALLED}}}",
                  "answered in part"),
            share('rerank_errors_total{@,error="deadline"}', f"rerank_requests_total{{@{CALLED}}}", "not at all"))),
        Panel("Candidates of a ranking", "short", quantiles("rerank_ranking_candidates")),
        Panel("Where the time goes", "s", (
            Query("sum by (stage) (rate(rerank_stage_seconds_sum{@}[$__rate_interval]))"
                  " / scalar(sum(rate(rerank_ranking_candidates_count{@}[$__rate_interval])))", "{{stage}}"),),
              "Mean seconds of a ranking by stage.", stacked=True),
    ),
    "Upstream and hedges": (
        Panel("Attempts by how they ended", "reqps",
              (per_second("rerank_upstream_attempts_total", "outcome", "{{outcome}}", C),), stacked=True),
        Panel("Answered attempts", "s", quantiles("rerank_upstream_attempt_seconds", C)),
        Panel("p95 by ARN", "s", (p95("rerank_upstream_attempt_seconds", "arn", "{{arn}}", C),)),
        Panel("Retries and hedges", "reqps", (per_second("rerank_retries_total", "campaign", "{{campaign}} retries", C),
              per_second("rerank_hedges_total", "campaign, outcome", "{{campaign}} hedges {{outcome}}", C))),
        Panel("Attempts beyond the first", "percentunit", (
            Query(f"(sum(rate(rerank_retries_total{{@{C}}}[$__rate_interval]))"
                  f" + sum(rate(rerank_hedges_total{{@{C}}}[$__rate_interval])))"
                  f" / sum(rate(rerank_upstream_calls_total{{@{C}}}[$__rate_interval]))", "made"),
            share(f"rerank_extra_attempts_refused_total{{@{C}}}", f"rerank_upstream_calls_total{{@{C}}}",
                  "wanted, but not in the budget"))),
        Panel("Bridges and drifts", "reqps", (per_second("rerank_bridges_total", "campaign", "{{campaign}} bridges", C),
              per_second("rerank_drifts_total", "campaign", "{{campaign}} drifts", C)),
              "Many bridges: peaked users. A wave of drifts: the model was trained anew."),
    ),
    "Limits and breakers": (
        Panel("Breakers that are not closed", "short",
              (gauge("rerank_breaker_state", "arn, state", "{{arn}} {{state}}", f'{C},state!="closed"'),),
              "Pods whose breaker stands so."),
        Panel("Times that breakers opened", "short", (
            Query(f"sum by (arn) (increase(rerank_breaker_opened_total{{@{C}}}[$__rate_interval]))", "{{arn}}"),)),
        Panel("Calls under way", "short", (gauge("rerank_concurrency_calls", "arn", "{{arn}}", C),
              gauge("rerank_concurrency_limit", "arn", "{{arn}} limit", C)),
              "The limit shrinks when the campaign pushes back."),
        Panel("Calls that wait", "short", (gauge("rerank_queue_calls", "campaign, variant", "{{campaign}} {{variant}}",
              C),)),
        Panel("Calls refused", "reqps",
              (per_second("rerank_calls_refused_total", "campaign, reason", "{{campaign}} {{reason}}", C),)),
        Panel("Retries and hedges left", "short",
              (gauge("rerank_extra_attempts_left", "campaign", "{{campaign}}", C, "min"),)),
        Panel("Late calls that another ARN was ahead of", "reqps",
              (per_second("rerank_replicas_overtaken_total", "arn", "{{arn}}", C),)),
    ),
    "Cache and calls saved": (
        Panel("Calls saved", "percentunit", (
            Query("sum(rate(rerank_saved_calls_total{@}[$__rate_interval]))"
                  " / (sum(rate(rerank_saved_calls_total{@}[$__rate_interval]))"
                  " + sum(rate(rerank_billed_calls_total{@}[$__rate_interval])))", "saved"),
            share(f"rerank_candidates_cached_total{{@{C}}}", f"rerank_candidates_total{{@{C}}}", "candidates known")),
              "Share of what cold rankings of the same candidates would have cost."),
        Panel("Look-ups of frames", "reqps", (per_second("rerank_frame_lookups_total", "worth", "{{worth}}"),),
              stacked=True),
        Panel("Frames and events", "reqps", (per_second("rerank_frames_total", "event", "{{event}}"),
              per_second("rerank_epochs_total", "outcome", "events {{outcome}}"))),
        Panel("Candidates not ranked by score", "percentunit", (
            share(f"rerank_candidates_unknown_total{{@{C}}}", f"rerank_candidates_total{{@{C}}}", "unknown"),
            share(f"rerank_candidates_excluded_total{{@{C}}}", f"rerank_candidates_total{{@{C}}}", "excluded"),
            share(f"rerank_candidates_unranked_total{{@{C}}}", f"rerank_candidates_total{{@{C}}}", "unranked"))),
        Panel("Cache that is left alone", "short", (Query("sum by (side) (1 - rerank_cache_up{@})", "{{side}}"),),
              "Pods that do not ask this side of it."),
        Panel("Cache errors", "reqps", (per_second("rerank_cache_errors_total", "reason", "{{reason}}"),
              per_second("rerank_cache_rejects_total", "reason", "rejected: {{reason}}"),
              per_second("rerank_cache_unasked_total", "reason", "{{reason}}"))),
        Panel("Cache operations", "reqps", (per_second("rerank_cache_operations_total", "outcome", "{{outcome}}"),)),
        Panel("Cache bytes", "Bps", (per_second("rerank_cache_bytes_total", "direction", "{{direction}}"),)),
        Panel("Frames in memory", "bytes", (gauge("rerank_cache_memory_bytes", "instance", "{{instance}}"),
              gauge("rerank_cache_memory_limit_bytes", "instance", "{{instance}} limit"))),
        Panel("Frames in memory, and those that had to go", "short",
              (gauge("rerank_cache_memory_frames", "instance", "{{instance}}"),
               per_second("rerank_cache_memory_evictions_total", "instance", "{{instance}} evicted/s"))),
        Panel("Listings and metadata", "reqps",
              (per_second("rerank_listing_lookups_total", "worth", "listings {{worth}}"),
               per_second("rerank_metadata_items_total", "source", "metadata {{source}}"))),
        Panel("Pinned rankings", "reqps", (per_second("rerank_pins_total", "event", "{{event}}"),)),
    ),
    "Cost per tenant": (
        Panel("Billed calls", "reqps", (per_second("rerank_billed_calls_total", "tenant", "{{tenant}}"),),
              stacked=True),
        Panel("Saved calls", "reqps", (per_second("rerank_saved_calls_total", "tenant", "{{tenant}}"),), stacked=True),
        Panel("Billed in the time shown", "short",
              (Query("sum by (tenant) (increase(rerank_billed_calls_total{@}[$__range]))", "{{tenant}}"),),
              kind="bargauge"),
    ),
    "Process": (
        Panel("CPU", "short", (Query("rate(process_cpu_seconds_total{@}[$__rate_interval])", "{{instance}}"),),
              "One process computes on one core."),
        Panel("CPU of a ranking", "s", (gauge("rerank_ranking_cpu_seconds", "instance", "{{instance}}", fold="max"),)),
        Panel("Memory", "bytes", (Query("process_resident_memory_bytes{@}", "{{instance}}"),)),
        Panel("Lateness of the event loop (p99)", "s", (
            Query("histogram_quantile(0.99, sum by (instance, le)"
                  " (rate(rerank_event_loop_lag_seconds_bucket{@}[$__rate_interval])))", "{{instance}}"),)),
        Panel("Open files", "short", (Query("process_open_fds{@}", "{{instance}}"),
              Query("process_max_fds{@}", "{{instance}} limit"))),
        Panel("Tasks", "short", (gauge("rerank_tasks", "instance", "{{instance}}"),)),
        Panel("Work in the background", "short", (gauge("rerank_background_tasks", "instance", "{{instance}}"),
              per_second("rerank_background_dropped_total", "instance", "{{instance}} dropped/s"))),
        Panel("Lines of the log that were dropped", "short",
              (per_second("rerank_log_dropped_total", "instance", "{{instance}}"),)),
        Panel("Credentials: seconds to go", "s",
              (gauge("rerank_credentials_expiry_seconds", "instance", "{{instance}}", fold="min"),
               gauge("rerank_credentials_age_seconds", "instance", "{{instance}} age", fold="max"))),
        Panel("Credentials: questions to the source", "reqps",
              (per_second("rerank_credentials_refreshes_total", "instance", "{{instance}} answered"),
               per_second("rerank_credentials_refresh_failures_total", "instance", "{{instance}} failed"))),
        Panel("Pods that cannot sign, and that are ending", "short",
              (Query("sum(1 - rerank_credentials_usable{@})", "cannot sign"),
               Query("sum(rerank_draining{@})", "ending"))),
        Panel("Started", "dateTimeFromNow", (Query("1000 * process_start_time_seconds{@}", "{{instance}}"),),
              kind="stat"),
        Panel("Versions", "short", (Query("count by (version, python) (rerank_build_info{@})",
              "{{version}} on Python {{python}}"),), kind="stat"),
    ),
}  # fmt: skip
