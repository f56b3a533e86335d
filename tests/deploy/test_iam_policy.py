"""The IAM policy of `deploy/iam`: exactly the operations that the adapters call, on what is named."""

import ast
import re
from pathlib import Path
from typing import Any

import orjson
from botocore import xform_name
from botocore.session import Session

ROOT = Path(__file__).parents[2]
POLICY = orjson.loads((ROOT / "deploy/iam/policy.json").read_bytes())
SERVICES = ("personalize-runtime", "personalize-events")


def called() -> set[str]:
    """The operations whose method the adapters name."""
    names: set[str] = set()
    for file in (ROOT / "gateway/adapters").glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                names.add(node.value)
            elif isinstance(node, ast.Attribute):
                names.add(node.attr)
    loader = Session().get_component("data_loader")
    models = [loader.load_service_model(service, "service-2") for service in SERVICES]
    return {one for model in models for one in model["operations"] if xform_name(one) in names}


def statements() -> dict[str, dict[str, Any]]:
    """The statements by their id."""
    return {one["Sid"]: one for one in POLICY["Statement"]}


def listed(value: str | list[str]) -> list[str]:
    """IAM takes one or many."""
    return [value] if isinstance(value, str) else value


def test_exactly_what_is_called() -> None:
    """Every operation that is called is allowed, and no other; none by a wildcard."""
    allowed = [action for one in statements().values() for action in listed(one["Action"])]
    assert sorted(allowed) == sorted(f"personalize:{one}" for one in called())
    assert all(one["Effect"] == "Allow" for one in statements().values())


def test_what_is_read_is_named() -> None:
    """Rankings and recommendations are allowed on campaigns and recommenders that are named, never on a pattern."""
    resources = listed(statements()["RankAndRecommend"]["Resource"])
    shape = re.compile(r"arn:aws:personalize:REGION:ACCOUNT:(campaign|recommender)/[A-Z]+")
    assert resources
    assert all(shape.fullmatch(one) for one in resources)


def test_events_are_the_one_exception() -> None:
    """PutEvents takes no resource (a tracker's ARN is answered with a denial), so it is bound to a region alone."""
    events = statements()["ForwardEvents"]
    assert (events["Action"], events["Resource"]) == ("personalize:PutEvents", "*")
    assert events["Condition"] == {"StringEquals": {"aws:RequestedRegion": "REGION"}}
