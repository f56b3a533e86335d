"""What tests of settings share: an ARN, and the faults of a configuration."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from gateway.settings import ConfigError, load

ARN = "arn:aws:personalize:eu-west-1:123456789012:campaign/storefront"


def faults(path: Path | None = None, environment: Mapping[str, str] | None = None, **options: Any) -> list[str]:
    """The faults of a configuration that must have some; options stand by their sections."""
    with pytest.raises(ConfigError) as raised:
        load(path, environment or {}, options or None)
    return raised.value.faults
