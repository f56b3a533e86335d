"""Writes what the chart holds copies of, since a chart can read nothing outside itself: `make chart`.

- The part of `values.schema.json` for `config`: made from the gateway's own settings, so that it cannot drift. Left out
  are secrets, which do not belong into values, and what other values of the chart decide.
- `files/`: the alert rules and the dashboard.

A test compares; nothing else needs to be remembered.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import orjson

from gateway.core.routing import ARN_PATTERN
from gateway.settings import Settings
from gateway.settings_auth import NAME

HERE: Final = Path(__file__).parent
CHART: Final = HERE / "rerank-gateway"
SCHEMA: Final = CHART / "values.schema.json"

COPIES: Final[dict[Path, Path]] = {
    HERE.parent / "prometheus/rules.yaml": CHART / "files/rules.yaml",
    HERE.parent / "grafana/rerank-gateway.json": CHART / "files/rerank-gateway.json",
}

SECRETS: Final = {"password", "sentinel_password", "key_pairs"}
OF_THE_CHART: Final = {"aws_region", "unix_socket", "tls_cert_file", "tls_key_file", "tls_client_ca_file"}
"""Decided by `aws.region`, `sidecar.unixSocket` and `tls`. (The files of the same name in `cache` stay.)"""

NOISE: Final = {"title", "default", "description", "format"}


def outputs() -> Iterator[tuple[Path, bytes]]:
    """Every file that is written, and what it should hold."""
    yield SCHEMA, _schema()
    for source, copy in COPIES.items():
        yield copy, source.read_bytes()


def _schema() -> bytes:
    """The chart's schema, its hand-written part as it stands."""
    schema = orjson.loads(SCHEMA.read_bytes())
    settings = Settings.model_json_schema()
    tables = {name: _tidy(table, name) for name, table in settings["$defs"].items() if name != "KeyPairSettings"}
    arn = {"type": "string", "pattern": f"^{ARN_PATTERN.pattern}$"}
    for name in ("CampaignSettings", "VariantSettings"):
        tables[name]["properties"]["arn"] = arn
        tables[name]["properties"]["replicas"] = {"type": "array", "items": arn}
    config = _tidy({key: settings[key] for key in ("type", "properties", "additionalProperties")}, "Settings")
    for named in (
        config["properties"]["campaigns"],
        tables["CampaignSettings"]["properties"]["variants"],
        tables["AuthSettings"]["properties"]["tenants"],
    ):
        named["propertyNames"] = {"pattern": f"^{NAME.pattern}$"}
    schema["$defs"] = tables
    schema["properties"]["config"] = config
    return orjson.dumps(schema, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def _tidy(part: Any, table: str = "") -> Any:
    """A part of the settings' schema without what only people read, and without what is not set here."""
    if isinstance(part, list):
        return [_tidy(one) for one in part]
    if not isinstance(part, dict):
        return part
    return {
        key: _properties(value, table) if key == "properties" else _tidy(value)
        for key, value in part.items()
        if key not in NOISE
    }


def _properties(properties: dict[str, Any], table: str) -> dict[str, Any]:
    left_out = SECRETS | (set() if table == "CacheSettings" else OF_THE_CHART)
    return {name: _tidy(value) for name, value in properties.items() if name not in left_out}


if __name__ == "__main__":
    for path, content in outputs():
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
