"""A storefront under load, for Locust: shoppers with sessions, whose answers are checked while they come.

    locust -f loadtests/locustfile.py --headless --host URL -u 20 -r 5 -t 60s [--shape ramp] [--oracle EMULATOR_URL]

A session: a user (few come often, most seldom) sees the first page of a category, which is cold at its first visit;
then perhaps the next pages and the shelves of the home page, which are warm; perhaps a click, an event that makes the
frames of the user void. `--tags` and `--exclude-tags` choose among browse, pages, shelves, click, whole.

Checked of every page: only candidates, each once, scores falling. Of every whole ranking too: all candidates are
there, and, against the emulator's oracle (`--oracle`, for users that never click), the very order. A wrong answer is a
*violation*: counted apart from refusals, and the run ends with exit code 1. Nothing but Locust and orjson is needed;
distributed, every worker runs this file (`--master`, `--worker`), and the master adds the violations up.
"""

import random
from argparse import ArgumentParser
from collections.abc import Callable
from functools import partial
from typing import Any, Final
from urllib.request import Request, urlopen

import orjson
from correctness import worst_pair, wrong_order, wrong_page  # Locust looks for modules beside this file
from locust import FastHttpUser, LoadTestShape, between, constant_throughput, events, tag, task
from locust.env import Environment
from locust.runners import MasterRunner

PAGE: Final = 48
SHELVES: Final = 6
SHELF_ITEMS: Final = 80
PAGES_MAX: Final = 4
CATALOGUE: Final = [f"p{number:05}" for number in range(1, 10_001)]
"""The items of the emulator's built-in store."""

ARN: Final = "arn:aws:personalize:us-east-1:000000000000:campaign/demo"
"""The emulator's campaign."""

violations: dict[str, int] = {}
"""Wrong answers by kind, of this process; on the master those of all workers."""


@events.init_command_line_parser.add_listener
def options(parser: ArgumentParser) -> None:
    """Options of this file beside Locust's own; each has an environment variable too."""
    add: Any = parser.add_argument  # Locust's parser, which knows variables of the environment and secrets
    add("--candidates", type=int, default=2_000, env_var="SHOP_CANDIDATES", help="of a category")
    add("--campaign", default="demo", env_var="SHOP_CAMPAIGN", help="name or ARN")
    add("--pool", type=int, default=5_000, env_var="SHOP_POOL", help="users that there are")
    add("--deadline-ms", type=int, default=1_000, env_var="SHOP_DEADLINE_MS")
    add("--api-key", default="", env_var="SHOP_API_KEY", is_secret=True)
    add("--oracle", default="", env_var="SHOP_ORACLE", help="address of the emulator: whole rankings are compared")
    add("--shape", default="none", choices=["none", *SHAPES], env_var="SHOP_SHAPE", help="load over time")
    add("--shape-users", type=int, default=20, env_var="SHOP_SHAPE_USERS", help="at the shape's top")
    add("--shape-s", type=int, default=60, env_var="SHOP_SHAPE_S", help="how long the shape takes")
    add(
        "--pace",
        type=float,
        default=-1.0,
        env_var="SHOP_PACE",
        help="requests/s of a user; 0: no pause; -1: as people do",
    )


# --- shoppers --------------------------------------------------------------------------------------


class Shopper(FastHttpUser):
    """One visitor after the other, each with a session."""

    wait_time = between(0.05, 0.25)

    def on_start(self) -> None:
        """Begin with a session, so that every task has one."""
        parsed = self.environment.parsed_options
        self.asks = parsed
        self.random = random.Random(random.getrandbits(64))
        self.headers = {"Content-Type": "application/json"}
        if parsed.api_key:
            self.headers["Authorization"] = f"Bearer {parsed.api_key}"
        if parsed.pace > 0:
            self.wait_time = partial(constant_throughput(parsed.pace), self)
        elif parsed.pace == 0:
            self.wait_time = float
        self._begin()

    def _begin(self, *, quiet: bool = False) -> None:
        """A new session: most users come seldom; a quiet one never clicks."""
        number = int(self.asks.pool * self.random.random() ** 3)
        self.user = f"{'quiet' if quiet else 'user'}-{number}"
        first = self.random.randrange(len(CATALOGUE))
        places = [(first + 7 * step) % len(CATALOGUE) for step in range(self.asks.candidates)]
        self.category = list(dict.fromkeys(CATALOGUE[place] for place in places))
        self.page = 0

    def _ask(self, name: str, path: str, **members: Any) -> dict[str, Any] | None:
        """One request; None unless the answer is whole."""
        body = {"campaign": self.asks.campaign, "userId": self.user, "deadlineMs": self.asks.deadline_ms, **members}
        with self.client.post(
            path, data=orjson.dumps(body), headers=self.headers, name=name, catch_response=True
        ) as response:
            if response.status_code != 200:
                response.failure(f"{response.status_code}")
                return None
            answer: dict[str, Any] = orjson.loads(response.content)
            shelves = answer.get("shelves", {"": answer})
            lists = members.get("shelves", {"": members.get("inputList", ())})
            for shelf, part in shelves.items():
                if wrong := wrong_page(part["personalizedRanking"], set(lists[shelf])):
                    self._violation(response, wrong)
            if answer["degraded"] is not None:
                response.failure(f"degraded: {answer['degraded']}")
                return None
            return answer

    def _violation(self, response: Any, what: str) -> None:
        violations[what] = violations.get(what, 0) + 1
        response.failure(f"VIOLATION: {what}")

    @task(6)
    @tag("browse")
    def browse(self) -> None:
        """A new visitor sees the first page of a category."""
        self._begin()
        self._ask("first page", "/v1/rerank", inputList=self.category, limit=PAGE)

    @task(8)
    @tag("pages")
    def turn_page(self) -> None:
        """The visitor turns a page."""
        self.page = self.page % PAGES_MAX + 1
        self._ask("next page", "/v1/rerank", inputList=self.category, limit=PAGE, offset=PAGE * self.page)

    @task(3)
    @tag("shelves")
    def home(self) -> None:
        """The visitor sees the home page: shelves that overlap, of what the category holds."""
        step = SHELF_ITEMS // 2
        shelves = {f"shelf-{n}": self.category[n * step : n * step + SHELF_ITEMS] for n in range(SHELVES)}
        self._ask("shelves", "/v1/rerank/shelves", shelves=shelves, limit=12)

    @task(1)
    @tag("click")
    def click(self) -> None:
        """The visitor clicks: from now on the ranking is another one."""
        event = {"eventType": "click", "itemId": self.category[0], "sentAt": 1_800_000_000}
        body = {"trackingId": "demo", "userId": self.user, "sessionId": "session", "eventList": [event]}
        self.client.post("/v1/events", data=orjson.dumps(body), headers=self.headers, name="event")

    @task(1)
    @tag("whole")
    def whole(self) -> None:
        """A visitor who never clicks asks for everything, which is compared with the ideal. Then the one before comes
        back: a click of this one, between another's ranking and its ideal, would make the two differ."""
        before = self.user, self.category, self.page
        self._begin(quiet=True)
        self._compare()
        self.user, self.category, self.page = before

    def _compare(self) -> None:
        """The visitor's whole ranking, and what is wrong with it."""
        body = {"campaign": self.asks.campaign, "userId": self.user, "inputList": self.category}
        with self.client.post(
            "/v1/rerank", data=orjson.dumps(body), headers=self.headers, name="whole ranking", catch_response=True
        ) as response:
            if response.status_code != 200:
                response.failure(f"{response.status_code}")
                return
            answer = orjson.loads(response.content)
            ranked = answer["personalizedRanking"]
            wrong = wrong_page(ranked, set(self.category))
            if wrong is None and len(ranked) < len(self.category):
                wrong = "items lost"
            if wrong is None and answer["degraded"] is None and self.asks.oracle:
                ideal = self._ideal()
                wrong = wrong_order(ranked, answer["resolvedThrough"], ideal)
                if wrong is not None:
                    print(f"{wrong}: {worst_pair(ranked, answer['resolvedThrough'], ideal)}, {answer['usage']}")
            if wrong is not None:
                self._violation(response, wrong)
            elif answer["degraded"] is not None:
                response.failure(f"degraded: {answer['degraded']}")

    def _ideal(self) -> dict[str, float]:
        """The scores of one call over the whole catalogue, without limit and rounding; not part of the figures."""
        body = orjson.dumps({"campaignArn": ARN, "userId": self.user, "inputList": CATALOGUE})
        with urlopen(Request(f"{self.asks.oracle}/_emulator/oracle", data=body), timeout=30) as said:  # noqa: S310
            ideal = orjson.loads(said.read())["personalizedRanking"]
        return {one["itemId"]: one["score"] or 0.0 for one in ideal}


# --- load over time --------------------------------------------------------------------------------

SHAPES: Final[dict[str, Callable[[float], float]]] = {
    "steady": lambda _: 1.0,
    "ramp": lambda share: share,
    "spike": lambda share: 1.0 if 0.4 <= share < 0.6 else 0.2,
    "soak": lambda _: 0.7,
}
"""The share of the users at the top that there are, over the share of the time that has gone."""


class Shape(LoadTestShape):
    """The load over time that `--shape` names; without one, Locust's own options hold."""

    use_common_options = True

    def tick(self) -> tuple[int, float] | None:
        """Users now and how many may come per second; None at the end."""
        parsed = self.runner.environment.parsed_options
        if parsed.shape == "none":
            over = parsed.run_time is not None and self.get_run_time() >= parsed.run_time
            return None if over else (parsed.num_users or 1, parsed.spawn_rate or 1.0)
        share = self.get_run_time() / parsed.shape_s
        if share >= 1.0:
            return None
        return max(1, round(parsed.shape_users * SHAPES[parsed.shape](share))), float(parsed.shape_users)


# --- violations ------------------------------------------------------------------------------------


@events.report_to_master.add_listener
def tell(client_id: str, data: dict[str, Any]) -> None:  # noqa: ARG001 - Locust passes both by name
    """A worker hands its violations over."""
    data["violations"] = dict(violations)
    violations.clear()


@events.worker_report.add_listener
def add_up(client_id: str, data: dict[str, Any]) -> None:  # noqa: ARG001 - Locust passes both by name
    """The master adds a worker's violations to the others'."""
    for what, count in data.get("violations", {}).items():
        violations[what] = violations.get(what, 0) + count


@events.quitting.add_listener
def verdict(environment: Environment, **_: Any) -> None:
    """Say what was wrong; refusals and degraded answers are the run's figures, not its verdict."""
    if environment.parsed_options is not None and (isinstance(environment.runner, MasterRunner) or violations):
        print(f"violations: {violations or 'none'}")
    elif not violations:
        print("violations: none")
    environment.process_exit_code = 1 if violations else 0
