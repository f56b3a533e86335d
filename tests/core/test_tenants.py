"""Rights, rates and shares of tenants: arithmetic on counts and times."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.tenants import ACTIVE_S, ANYBODY, FULL, OWN_LIMIT, SHARE, Places, RateLimits, Tenant

A, B, C = Tenant("a"), Tenant("b"), Tenant("c")


def fill(places: Places, tenant: Tenant, now_s: float = 0.0) -> int:
    """Take as many places as the tenant is given; how many."""
    taken = 0
    while places.enter(tenant, now_s) is None:
        taken += 1
        assert taken <= places.total
    return taken


@pytest.mark.parametrize(("tenant", "campaign", "tracker"), [
    (ANYBODY, True, True),
    (Tenant("t", campaigns=frozenset({"x"})), True, False),
    (Tenant("t", campaigns=frozenset({"x"}), trackers=frozenset({"t1"})), True, True),
    (Tenant("t", campaigns=frozenset({"y"}), trackers=frozenset({"t2"})), False, False),
    (Tenant("t", trackers=frozenset({"t2"})), True, False),
])  # fmt: skip
def test_rights(tenant: Tenant, campaign: bool, tracker: bool) -> None:
    """A limit allows what it names; limited campaigns without a word on trackers allow no tracker."""
    assert (tenant.may_call("x"), tenant.may_write_to("t1")) == (campaign, tracker)


def test_a_rate_refuses_without_counting() -> None:
    """A second's worth may go at once; then a refused request costs nothing, and the wait that it is told is enough."""
    tenant, rates = Tenant("t", rate_per_s=10.0), RateLimits()
    assert [rates.take(tenant, 0.0) for _ in range(10)] == [0.0] * 10
    waits = [rates.take(tenant, 0.0) for _ in range(5)]
    assert len(set(waits)) == 1
    assert 0.0 < waits[0] <= 0.1 + 1e-9
    assert rates.take(tenant, waits[0]) == 0.0
    assert rates.take(tenant, waits[0]) > 0.0


def test_rates_are_each_tenants_own() -> None:
    """One tenant's requests do not count against another's rate, and no rate is no limit."""
    rates = RateLimits()
    one, other = Tenant("one", rate_per_s=1.0), Tenant("other", rate_per_s=1.0)
    assert rates.take(one, 0.0) == 0.0
    assert rates.take(one, 0.0) > 0.0
    assert rates.take(other, 0.0) == 0.0
    assert [rates.take(A, 0.0) for _ in range(1_000)] == [0.0] * 1_000


def test_alone_without_others_everything_is_free() -> None:
    """Where there is one name, as without authentication, all places are its own; then it is full, not its fault."""
    places = Places(16)
    assert fill(places, ANYBODY) == 16
    assert places.enter(ANYBODY, 0.0) == FULL
    places.leave(ANYBODY)
    assert places.enter(ANYBODY, 0.0) is None


def test_a_newcomer_finds_room_at_once() -> None:
    """However much one tenant wants, the first requests of another are let in."""
    places = Places(16, tenants=2)
    assert fill(places, A) == 14
    assert [places.enter(B, 0.0) for _ in range(3)] == [None, None, FULL]


def test_contended_places_move_to_equal_shares() -> None:
    """As places come free, they go to the tenant below its share, until both have half."""
    places = Places(16, tenants=2)
    fill(places, A)
    fill(places, B)
    for _ in range(6):
        places.leave(A)
        assert places.enter(A, 0.0) == SHARE
        assert places.enter(B, 0.0) is None
    assert places.enter(B, 0.0) == FULL
    places.leave(A)
    assert places.enter(A, 0.0) is None  # its own share is there for it


def test_a_share_is_kept_for_those_who_asked_lately() -> None:
    """A busy tenant's pause does not cost it its share; one that stays away gives it up."""
    places = Places(16, tenants=2)
    assert places.enter(B, 0.0) is None
    places.leave(B)
    assert fill(places, A, ACTIVE_S / 2) == 8
    assert fill(places, A, ACTIVE_S + 1.0) == 6


def test_an_own_limit_holds_even_where_there_is_room() -> None:
    """`inflight_max` is a limit, not a share."""
    places, small = Places(16, tenants=2), Tenant("small", inflight_max=2)
    assert fill(places, small) == 2
    assert places.enter(small, 0.0) == OWN_LIMIT


@given(
    st.integers(1, 40),
    st.lists(st.tuples(st.sampled_from([A, B, C]), st.booleans(), st.floats(0, 5)), max_size=200),
)
def test_no_order_of_events_breaks_the_rules(total: int, events: list[tuple[Tenant, bool, float]]) -> None:
    """Never more than all places are taken, and a tenant below its share of three is refused only when they are."""
    places, now_s = Places(total, tenants=3), 0.0
    under_way = dict.fromkeys("abc", 0)
    for tenant, enters, pause_s in events:
        now_s += pause_s
        if not enters:
            if under_way[tenant.name]:
                places.leave(tenant)
                under_way[tenant.name] -= 1
            continue
        refusal = places.enter(tenant, now_s)
        if refusal is None:
            under_way[tenant.name] += 1
        elif under_way[tenant.name] < total // 3:
            assert refusal == FULL
            assert sum(under_way.values()) == total
        assert sum(under_way.values()) == places.under_way <= total
