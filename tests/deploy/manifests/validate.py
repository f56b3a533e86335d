"""Checks objects against the schemas of Kubernetes versions; run by the environment that has `kubernetes-validate`.

    .venv-deploy/bin/python .../validate.py < {"versions": [...], "objects": {NAME: [...]}}  > [FAULT, ...]

Strict: a member that the version does not have is a fault. Kinds that no version has are told as faults too; the caller
knows which ones are none of Kubernetes' own.
"""

import json
import sys
from functools import cache
from typing import Any

import kubernetes_validate
from kubernetes_validate import utils

utils.schema_contents = cache(utils.schema_contents)  # it would read 4 MB anew for each object


def _fault(one: dict[str, Any], version: str) -> str | None:
    try:
        kubernetes_validate.validate(one, version, strict=True)
    except kubernetes_validate.ValidationError as error:
        return f"{'.'.join(map(str, error.path))}: {error.message}"
    except kubernetes_validate.SchemaNotFoundError:
        return "no such kind"
    return None


if __name__ == "__main__":
    asked = json.load(sys.stdin)
    json.dump(
        [
            f"{name} {one['kind']}/{one['metadata']['name']} {version}: {fault}"
            for name, objects in asked["objects"].items()
            for one in objects
            for version in asked["versions"]
            if (fault := _fault(one, version))
        ],
        sys.stdout,
    )
