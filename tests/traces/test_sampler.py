"""Which requests are recorded: the same as the SDK would say, of all that its variables can name."""

import logging

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags

from gateway.adapters.otel_sampler import sampler_of

NAMES = [None, "", "always_on", "always_off", "traceidratio", "parentbased_always_on", "parentbased_always_off",
         "parentbased_traceidratio", "PARENTBASED_TRACEIDRATIO", "parentbased_", "jaeger_remote"]  # fmt: skip
SHARES = [None, "", "0", "0.5", "1", "1e-3", "2", "-1", "nan", "inf", "half"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("share", SHARES)
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(number=st.integers(1, 2**128 - 1), parent=st.sampled_from([None, False, True]))
def test_it_decides_as_the_sdk(
    monkeypatch: pytest.MonkeyPatch, name: str | None, share: str | None, number: int, parent: bool | None
) -> None:
    """Every name and share, also those that there are not: recorded is what the SDK records, with and without a
    caller's trace."""
    monkeypatch.setattr(logging.getLogger("opentelemetry.sdk.trace.sampling"), "disabled", True)
    variables = {"OTEL_TRACES_SAMPLER": name, "OTEL_TRACES_SAMPLER_ARG": share}
    for variable, value in variables.items():
        if value is None:
            monkeypatch.delenv(variable, raising=False)
        else:
            monkeypatch.setenv(variable, value)
    theirs = TracerProvider(shutdown_on_exit=False).sampler
    above = Context()
    if parent is not None:
        caller = SpanContext(number, 1, is_remote=True, trace_flags=TraceFlags(parent))
        above = trace.set_span_in_context(NonRecordingSpan(caller), above)
    decision = theirs.should_sample(above, number, "POST /v1/rerank").decision
    ours = sampler_of({key: value for key, value in variables.items() if value is not None})
    assert ours(number, parent) == decision.is_sampled()
