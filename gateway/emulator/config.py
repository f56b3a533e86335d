"""What can be set about the emulator: frozen values, read from one TOML file.

Every setting has a default that works: without a file the built-in store is served at full speed and unsigned, as the
campaigns of DEMO. A setting that is misspelt, of the wrong kind, or out of step with another is refused with its
place. Secrets never show in a `repr`. A file with everything in it:

    latency_ms = 20                    # of every call that says nothing else; also latency_sigma, slow_share, slow_ms
    settle_s = 1.5
    interactions = "events.csv.gz"     # the model "default" (without: the built-in store)
    items = "items.csv"
    trackers = ["demo", "web"]

    [models.retrained]                 # the same data, trained again: scores differ a little (drift)
    seed = 7

    [filters]
    not-bought = 'EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("purchase")'

    [[campaigns]]
    arn = "arn:aws:personalize:us-east-1:000000000000:campaign/a"
    recipe = "aws-personalized-ranking-v2"
    decimals = 7
    tps = 100                          # ThrottlingException above it; capacity follows the demand slowly

    [[campaigns]]
    arn = "arn:aws:personalize:us-east-1:000000000000:campaign/b"     # a replica of a: the same model
    recipe = "aws-personalized-ranking-v2"
    [campaigns.faults]
    error_share = 0.01

    [[campaigns]]
    arn = "arn:aws:personalize:us-east-1:000000000000:recommender/for-you"
    recipe = "aws-ecomm-recommended-for-you"
    model = "retrained"

    [faults]                           # of all campaigns that have none of their own
    seed = 1
    hang_share = 0.001
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec

from gateway.emulator.faults import Faults
from gateway.emulator.recipes import RECIPES
from gateway.emulator.timing import Timing, Tps

DEFAULT_MODEL: Final = "default"
TRACKING_ID: Final = "demo"

# The service takes a second or two; a minute bounds the events that are on their way.
SettleS = Annotated[float, msgspec.Meta(ge=0.0, le=60.0)]

Seed = Annotated[int, msgspec.Meta(ge=0)]
Arn = Annotated[str, msgspec.Meta(pattern=r"^arn:[a-z\d-]+:personalize:[^:]*:[^:]*:(campaign|recommender)/[^:]+$")]
Name = Annotated[str, msgspec.Meta(pattern=r"^[a-zA-Z0-9][a-zA-Z0-9_-]{0,62}$")]  # as the service names resources

# Doubles have 15 to 17 digits: more would print their noise.
Decimals = Annotated[int, msgspec.Meta(ge=1, le=15)]

# At 1 an item in a list of its like loses one unit of its logit; at 20 nothing else is left of the scores.
ListDependent = Annotated[float, msgspec.Meta(ge=0.0, le=20.0)]


class ConfigError(Exception):
    """The emulator cannot start with this configuration or these files; the message says which, where and why."""


class KeyPair(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An AWS key pair whose signatures are accepted."""

    access_key_id: Annotated[str, msgspec.Meta(min_length=1)]
    secret_access_key: Annotated[str, msgspec.Meta(min_length=1)]

    def __repr__(self) -> str:
        return f"KeyPair(access_key_id={self.access_key_id!r}, secret_access_key=***)"

    def __rich_repr__(self) -> list[tuple[str, str]]:
        return [("access_key_id", self.access_key_id)]


class ModelConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One more model. Without files it is that of the default's data; `seed` other than 0 trains it again."""

    seed: Seed = 0
    items: Path | None = None
    interactions: Path | None = None


class CampaignConfig(Timing, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One campaign or recommender. Two that name one model serve the same solution version.

    `filters` are the names that it may use (all, if not given), `decimals` those of its scores, `metadata` whether it
    gives item metadata, `tps` the calls per second that it always takes (0: any number), `list_dependent` how much
    an item's score depends on the others of its list, against what the service documents.
    """

    arn: Arn
    recipe: str
    model: str = DEFAULT_MODEL
    filters: tuple[str, ...] | None = None
    decimals: Decimals = 7
    metadata: bool = True
    tps: Tps = 0.0
    list_dependent: ListDependent = 0.0
    faults: Faults | None = None


class EmulatorConfig(Timing, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The settings of one emulator; paths are relative to the working directory.

    `seed` is the seed of the latencies. `settle_s` is the time from the arrival of an event to its effect on rankings.
    With `key_pairs`, calls must be signed by one of them. With `interactions` (and perhaps `items`), the model is
    learnt from these CSVs and kept in `cache_dir`; without, the built-in store is served. `record` is a file to write
    a recording of all calls to.
    """

    seed: Seed = 0
    settle_s: SettleS = 0.0
    key_pairs: tuple[KeyPair, ...] = ()
    items: Path | None = None
    interactions: Path | None = None
    cache_dir: Path = Path(".emulator-cache")
    trackers: tuple[Annotated[str, msgspec.Meta(min_length=1, max_length=256)], ...] = (TRACKING_ID,)
    models: Mapping[Name, ModelConfig] = {}
    filters: Mapping[Name, str] | None = None
    campaigns: tuple[CampaignConfig, ...] = ()
    faults: Faults = Faults()
    record: Path | None = None


def load(path: Path) -> EmulatorConfig:
    """Read the settings from a TOML file.

    Raises:
        ConfigError: the file cannot be read, is not TOML, or a setting in it is unknown, out of its range or out of
            step with another.
    """
    try:
        config = msgspec.toml.decode(path.read_bytes(), type=EmulatorConfig, dec_hook=_decode_path)
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: {error}") from error
    if wrong := list(_out_of_step(config)):
        raise ConfigError(f"{path}: {'; '.join(wrong)}")
    return config


def _out_of_step(config: EmulatorConfig) -> Iterator[str]:
    """What is wrong between settings that are right by themselves."""
    if DEFAULT_MODEL in config.models:
        yield f"models.{DEFAULT_MODEL}: is the model of the top level, by `items` and `interactions`"
    arns = [campaign.arn for campaign in config.campaigns]
    for number, campaign in enumerate(config.campaigns):
        place = f"campaigns[{number}]"
        if arns.index(campaign.arn) < number:
            yield f"{place}.arn: comes twice"
        if campaign.model != DEFAULT_MODEL and campaign.model not in config.models:
            yield f"{place}.model: there is no [models.{campaign.model}]"
        for name in sorted(set(campaign.filters or ()) - (config.filters or {}).keys()):
            yield f"{place}.filters: there is no filter {name} under [filters]"
        yield from _wrong_recipe(campaign, place)


def _wrong_recipe(campaign: CampaignConfig, place: str) -> Iterator[str]:
    recipe = RECIPES.get(campaign.recipe)
    if recipe is None:
        yield f"{place}.recipe: there is no recipe {campaign.recipe} (known: {', '.join(RECIPES)})"
        return
    kind = "recommender" if recipe.recommender else "campaign"
    if re.search(r":(campaign|recommender)/", campaign.arn).group(1) != kind:  # type: ignore[union-attr]  # see Arn
        yield f"{place}.arn: {campaign.recipe} is behind a {kind}, so the ARN must end in :{kind}/NAME"


def _decode_path(kind: type[Any], value: object) -> Path:
    if kind is Path and isinstance(value, str) and value:
        return Path(value)
    raise ValueError("Expected a path")
