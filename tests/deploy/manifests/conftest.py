"""A directory for what the tests of the manifests build, and one test for each set of them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.deploy.manifests import rendering


@pytest.fixture(scope="session", autouse=True)
def _builds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Where charts are built, away from the sources."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTEST_DEPLOY_TMP", str(tmp_path_factory.mktemp("deploy")))
        yield


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """`values`: a value set of the chart. `manifests`: the name of anything that renders."""
    if "values" in metafunc.fixturenames:
        metafunc.parametrize("values", [pytest.param(path, id=name) for name, path in rendering.value_sets().items()])
    if "manifests" in metafunc.fixturenames:
        stores = [f"storefront-{name}" for name in rendering.value_sets(rendering.EXAMPLE)]
        names = [*rendering.value_sets(), *stores, *rendering.KUSTOMIZATIONS]
        metafunc.parametrize("manifests", names, indirect=True)


@pytest.fixture
def manifests(request: pytest.FixtureRequest) -> list[rendering.Object]:
    """The objects of one value set or kustomization."""
    return rendering.rendered()[request.param]


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A file for a rendered configuration."""
    return tmp_path / "gateway.toml"
