"""What botocore reads of its own files: less, and to the same effect."""

from pathlib import Path
from typing import Any

import pytest
from aiobotocore.session import AioSession
from botocore.exceptions import BotoCoreError
from botocore.loaders import Loader
from botocore.regions import EndpointResolver

from gateway.adapters.aws_data import CALLED, KEPT, OwnServices, new_session

WHOLE = Loader().load_data("endpoints")
OURS = Loader(file_loader=OwnServices()).load_data("endpoints")
VARIANTS = [(dual, fips) for dual in (False, True) for fips in (False, True)]
NOWHERE = ("eu-nowhere-7", "us-gov-nowhere-9", "cn-nowhere-9", "moon", "aws-global", None)


def found(resolver: EndpointResolver, service: str, region: str | None, dual: bool, fips: bool) -> Any:
    """The endpoint, or the error that says that there is none."""
    try:
        return resolver.construct_endpoint(service, region, use_dualstack_endpoint=dual, use_fips_endpoint=fips)
    except BotoCoreError as error:
        return str(error)


@pytest.mark.parametrize("service", sorted({*CALLED, *KEPT}))
def test_endpoints_are_those_of_the_whole_table(service: str) -> None:
    """For every region of every partition, and for regions that there are not, dual stack and FIPS, the endpoint is
    the one that botocore finds by itself."""
    whole, ours = EndpointResolver(WHOLE), EndpointResolver(OURS)
    regions = [*(region for one in WHOLE["partitions"] for region in one["regions"]), *NOWHERE]
    assert len(regions) > 30
    for region in regions:
        for dual, fips in VARIANTS:
            assert found(ours, service, region, dual, fips) == found(whole, service, region, dual, fips)
    for partition in whole.get_available_partitions():
        assert ours.get_available_endpoints(service, partition, allow_non_regional=True) == (
            whole.get_available_endpoints(service, partition, allow_non_regional=True)
        )


def test_other_services_are_passed_over() -> None:
    """All partitions stand there with all that they say of themselves, but of their services only ours."""
    assert OURS["version"] == WHOLE["version"]
    for ours, whole in zip(OURS["partitions"], WHOLE["partitions"], strict=True):
        assert {**ours, "services": None} == {**whole, "services": None}
        assert set(ours["services"]) == KEPT & set(whole["services"]) < set(whole["services"])


def test_other_files_are_read_whole() -> None:
    """Service models, and whatever else there is, are what botocore reads, packed or not; a file that is not there is
    none."""
    own, usual = OwnServices(), Loader().file_loader
    data = Path(Loader.BUILTIN_DATA_PATH)
    for name in ("partitions", "_retry", "personalize-runtime/2018-05-22/service-2", "no/such/file"):
        assert own.load_file(str(data / name)) == usual.load_file(str(data / name))
    assert own.load_file(str(data / "personalize-runtime" / "endpoints")) is None


def test_sessions_read_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A session reads in this way, also a table that its owner has laid over botocore's (`AWS_DATA_PATH`); the SDK's
    own session does not."""
    assert "s3" not in new_session().get_component("data_loader").load_data("endpoints")["partitions"][0]["services"]
    assert "s3" in AioSession().get_component("data_loader").load_data("endpoints")["partitions"][0]["services"]
    (tmp_path / "endpoints.json").write_text('{"version": 9, "partitions": [{"services": {"sts": {"a": 1}, "s3": 2}}]}')
    monkeypatch.setenv("AWS_DATA_PATH", str(tmp_path))
    loaded = new_session().get_component("data_loader").load_data("endpoints")
    assert loaded == {"version": 9, "partitions": [{"services": {"sts": {"a": 1}}}]}
