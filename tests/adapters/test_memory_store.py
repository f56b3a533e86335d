"""The store in memory, against a model that is a plain list: its bound, its order, its clock."""

import sys
import tracemalloc
from dataclasses import replace

import msgspec
import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from gateway.adapters import memory_store
from gateway.adapters.memory_store import MemoryStore, frame_bytes
from gateway.core.frame import Frame
from gateway.core.ids import Ids
from gateway.core.keys import FrameKey
from gateway.core.model import Grade
from gateway.core.question import Listing
from gateway.ports import Kept, KeptListing
from gateway.web.render import SLICE, Entry


def frame_of(items: list[str]) -> Frame:
    """A frame of these items, equally scored."""
    count = len(items)
    return Frame(
        ids=Ids(items),
        log=np.zeros(count),
        grade=np.full(count, Grade.SHARP, dtype=np.uint8),
        source=np.zeros(count, dtype=np.int32),
        recommendation_ids=("RID-0",),
        scale_id="s",
        created_s=0.0,
    )


def cost(items: int) -> int:
    """What a frame is booked with."""
    return frame_bytes(frame_of([f"i{n}" for n in range(items)]))


ROOM = 3 * cost(10)


def key_of(name: str) -> FrameKey:
    """A key of one user's frame."""
    return FrameKey("user", name)


def load(store: MemoryStore, name: str) -> Frame | None:
    """The frame under a name."""
    return done(store.load(key_of(name))).frame


def done(coroutine):
    """The result of a coroutine that never waits."""
    try:
        coroutine.send(None)
    except StopIteration as end:
        return end.value
    raise AssertionError("it waited")


KEYS = st.sampled_from("abcdef")


class StoreMachine(RuleBasedStateMachine):
    """Saves, loads and the passing of time in any order; `kept` is (key, frame, until), least recently used first."""

    def __init__(self) -> None:
        super().__init__()
        self.now_s = 0.0
        self.store = MemoryStore(lambda: self.now_s, ROOM)
        self.kept: list[tuple[str, Frame, float]] = []

    @rule(key=KEYS, items=st.integers(0, 40), keep_s=st.sampled_from([0.0, 1.0, 5.0, 100.0]))
    def save(self, key: str, items: int, keep_s: float) -> None:
        frame = frame_of([f"i{n}" for n in range(items)])
        done(self.store.save(key_of(key), frame, keep_s))
        self.kept = [one for one in self.kept if one[0] != key]
        if cost(items) > ROOM:
            return
        self.kept.append((key, frame, self.now_s + keep_s))
        while self.kept and (
            sum(frame_bytes(frame) for _, frame, _ in self.kept) > ROOM or self.kept[0][2] <= self.now_s
        ):
            self.kept.pop(0)

    @rule(key=KEYS)
    def load(self, key: str) -> None:
        found = load(self.store, key)
        (expected,) = [one for one in self.kept if one[0] == key] or [(key, None, 0.0)]
        self.kept = [one for one in self.kept if one[0] != key]
        alive = expected[1] is not None and expected[2] > self.now_s
        if alive:
            self.kept.append(expected)
        assert found is (expected[1] if alive else None)

    @rule(seconds=st.sampled_from([0.5, 1.0, 10.0]))
    def wait(self, seconds: float) -> None:
        self.now_s += seconds

    @invariant()
    def books_are_right(self) -> None:
        booked = sum(frame_bytes(frame) for _, frame, _ in self.kept)
        assert self.store.size_bytes == booked <= ROOM
        assert repr(self.store) == f"<MemoryStore frames={len(self.kept)} bytes={booked}/{ROOM}>"


def test_it_is_the_model() -> None:
    """After any saves, loads and waits it holds what the model holds, in its order, and never more than its bytes."""
    run_state_machine_as_test(
        StoreMachine, settings=settings(max_examples=150, stateful_step_count=40, deadline=None, derandomize=True)
    )


def test_the_least_recently_used_goes_first() -> None:
    """A frame that was read stays; the one that nobody asked for makes room."""
    store = MemoryStore(lambda: 0.0, ROOM)
    for key in "abc":
        done(store.save(key_of(key), frame_of([f"i{n}" for n in range(10)]), 60.0))
    assert load(store, "a") is not None
    done(store.save(key_of("d"), frame_of([f"i{n}" for n in range(10)]), 60.0))
    assert [key for key in "abcd" if load(store, key) is not None] == ["a", "c", "d"]
    assert store.evicted == 1


def test_a_frame_larger_than_the_store_replaces_nothing_but_its_own() -> None:
    """A frame that can never fit leaves the others alone; an older frame under its key is gone, being out of date."""
    store = MemoryStore(lambda: 0.0, ROOM)
    done(store.save(key_of("a"), frame_of(["i0"]), 60.0))
    done(store.save(key_of("b"), frame_of(["i0"]), 60.0))
    done(store.save(key_of("a"), frame_of(["x"] * 1_000), 60.0))
    assert load(store, "a") is None
    assert load(store, "b") is not None
    assert store.size_bytes == cost(1)


@pytest.mark.parametrize("character", ["x", "é", "🛒"])
def test_long_ids_are_booked_with_their_length(character: str) -> None:
    """The bound holds for real bytes: ids of 256 characters, which any caller may send, are booked as such."""
    items = [f"{n:06}".rjust(256, character) for n in range(1_000)]
    store = MemoryStore(lambda: 0.0)
    done(store.save(key_of("a"), frame_of(items), 60.0))
    assert store.size_bytes >= sum(map(sys.getsizeof, items))


@pytest.mark.parametrize(("id_of", "is_kept"), [
    ("{:08}", True), ("éàü{:08}", True), ("世界{:08}", True), ("🛒🛒{:08}", True), ('"\n"\n"\n{:08}', False),
])  # fmt: skip
@pytest.mark.parametrize("count", [1_000, 10_923, 87_382])
def test_what_a_frame_makes_of_itself_is_booked(id_of: str, is_kept: bool, count: int) -> None:
    """Looked up by its own list, told, and looked up by another list (just beyond where a dictionary doubles), a frame
    takes no more memory than it is booked with. Of ids in whatever script an answer is kept, of such as JSON has to
    escape it is not."""
    tracemalloc.start()
    try:
        frame = frame_of([id_of.format(n) for n in range(count)]).packed(0)
        own = frame.own(frame.rows(frame.ids.items))
        frame.ranking(frame.ids.places)
        entries = [Entry(item, 1.2345678901234567e-100) for item in frame.items]
        for _ in range(2):
            own.tell([memoryview(msgspec.json.encode(entries[at : at + SLICE])) for at in range(0, count, SLICE)])
        del entries
        frame.rows(["stranger"])
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert bool(own.told) is is_kept
    assert held <= frame_bytes(frame)


def test_a_frame_of_another_epoch_is_dead() -> None:
    """After a bump only frames of the new epoch come back, until the epoch itself is forgotten with its time."""
    store = MemoryStore(lambda: 0.0)
    done(store.save(key_of("a"), frame_of(["i0"]), 60.0))
    assert done(store.bump("user", 7, 60.0))
    assert done(store.load(key_of("a"))) == Kept(7, None)
    done(store.save(key_of("a"), replace(frame_of(["i0"]), epoch=7), 60.0))
    assert load(store, "a") is not None


def test_an_epoch_that_is_forgotten_early_brings_nothing_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """When epochs have to go before their time, so do the frames that they could bring back to life."""
    monkeypatch.setattr(memory_store, "EPOCHS_BYTES_MAX", 2 * memory_store.BYTES_PER_EPOCH)
    store = MemoryStore(lambda: 0.0)
    done(store.save(key_of("a"), frame_of(["i0"]), 60.0))
    for number, user in enumerate(["user", "b", "c"], start=1):
        done(store.bump(user, number, 60.0))
    assert load(store, "a") is None


def test_listings_lie_beside_frames() -> None:
    """A listing is kept until its time is up or an event comes, and is never read as a frame."""
    clock = [0.0]
    store = MemoryStore(lambda: clock[0])
    listing = Listing(b"{}", 0)
    done(store.save_listing(key_of("a"), listing, 10.0))
    assert done(store.load_listing(key_of("a"))) == KeptListing(0, listing)
    assert done(store.load(key_of("a"))) == Kept(0, None)
    done(store.bump(key_of("a").user, 7, 10.0))
    assert done(store.load_listing(key_of("a"))) == KeptListing(7, None)
    done(store.save_listing(key_of("b"), listing, 10.0))
    clock[0] = 11.0
    assert done(store.load_listing(key_of("b"))).listing is None


def test_listings_are_within_the_same_bytes() -> None:
    """The one bound holds for frames and listings together."""
    store = MemoryStore(lambda: 0.0, bytes_max=10_000)
    for number in range(10):
        done(store.save_listing(key_of(f"u{number}"), Listing(b"x" * 2_000, 1), 10.0))
        assert store.size_bytes <= 10_000
    assert store.evicted == 6
