"""The API description (OpenAPI 3.1), made of the types that decode requests and the table that renders errors.

So it cannot say anything else than what happens. What is written by hand is the table of the operations
(`openapi_operations`); this goes through it, and describes each operation with references to what all of them share
(`openapi_components`) and with the errors it may be answered with (`openapi_refusals`).
"""

import importlib.metadata
from functools import cache
from typing import Any, Final

import msgspec

from gateway.web.auth import OPEN_ROUTES
from gateway.web.openapi_components import CREDENTIALS, components, header_refs, ref
from gateway.web.openapi_operations import NATIVE, OPERATIONS, OPERATIONS_TAG, WIRE, Operation, Text
from gateway.web.openapi_refusals import refusals
from gateway.web.problems import JSON

ABOUT: Final = """\
One ranking call without the 500-item limit: same contract, same scores.

*AWS wire*: what an AWS SDK sends with `endpoint_url` set, in the service's own shapes and errors; what only the gateway
can say stands in headers. *Native*: the members of the AWS operation, and what it cannot say.

Ids and names never hold the character U+0000. Members that the AWS wire does not know are ignored; `/v1` refuses them.
"""

PARAMETERS: Final[dict[str, dict[str, Any]]] = {
    "userId": {"type": "string", "minLength": 1, "maxLength": 256, "pattern": "^[^\\u0000]*$"},
    "rankingId": {"type": "string", "minLength": 1},
    "build": {"type": "string", "minLength": 1},
    "file": {"type": "string", "minLength": 1},
}
"""The members of paths."""


@cache
def document() -> dict[str, Any]:
    """The description. It is the same for the whole process, and not to be changed."""
    paths: dict[str, dict[str, Any]] = {}
    for (method, path), operation in OPERATIONS.items():
        paths.setdefault(path, {})[method] = _operation(path, operation)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "rerank-gateway",
            "version": importlib.metadata.version("rerank-gateway"),
            "description": ABOUT,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "tags": [{"name": name} for name in (WIRE, NATIVE, OPERATIONS_TAG)],
        "paths": paths,
        "security": [{}, *({name: []} for name in CREDENTIALS)],
        "components": components(),
    }


def _operation(path: str, operation: Operation) -> dict[str, Any]:
    described: dict[str, Any] = {
        "operationId": operation.name,
        "tags": [operation.tag],
        "summary": operation.summary,
        "responses": {"200": _answer(operation), **refusals(path, operation)},
    }
    described["responses"] |= {str(status): _text(text) for status, text in operation.also.items()}
    if path in OPEN_ROUTES:
        described["security"] = []
    named = [name for name in PARAMETERS if f"{{{name}}}" in path]
    parameters = [{"name": name, "in": "path", "required": True, "schema": PARAMETERS[name]} for name in named]
    if operation.query is not None:
        parameters += _query(operation.query)
    if parameters:
        described["parameters"] = parameters
    if operation.body is not None:
        described["requestBody"] = {"required": True, "content": {JSON: {"schema": ref(operation.body)}}}
    return described


def _query(kind: type[msgspec.Struct]) -> list[dict[str, Any]]:
    """The parameters of a query: none must be given, and null is no text that one could give."""
    _, schemas = msgspec.json.schema_components([kind], ref_template="{name}")
    described = []
    for name, schema in schemas[kind.__name__]["properties"].items():
        given = next((one for one in schema.get("anyOf", ()) if one != {"type": "null"}), schema)
        described.append({"name": name, "in": "query", "required": False, "schema": given})
    return described


def _answer(operation: Operation) -> dict[str, Any]:
    if isinstance(operation.answer, Text):
        return _text(operation.answer)
    described: dict[str, Any] = {"description": "Done", "headers": header_refs(operation.headers)}
    if operation.answer is not None:
        described["content"] = {JSON: {"schema": ref(operation.answer)}}
    if operation.links:
        described["links"] = {
            name: {"operationId": name, "parameters": {member: f"$response.body#/{member}"}}
            for name, member in operation.links.items()
        }
    return described


def _text(text: Text) -> dict[str, Any]:
    return {"description": text.about, "content": {text.media: {}}}
