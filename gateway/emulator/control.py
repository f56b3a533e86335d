"""The routes under /_emulator, for people and tests: never signed, and not part of the service.

GET    /_emulator/health                    "ok"
GET    /_emulator/stats                     what was asked (DELETE: count anew)
GET    /_emulator/campaigns                 what is served: ARN, operation, filters
POST   /_emulator/faults                    from now on let things go wrong: members of faults.py in JSON, for all
                                            campaigns or for the "campaign" of that ARN ("events": for PutEvents),
                                            in place of what held there; GET shows what holds, DELETE ends it all
POST   /_emulator/oracle                    the ideal ranking of a call of any length, at this moment
GET    /_emulator/items?limit=&offset=      items, most popular first
GET    /_emulator/users?limit=              some users who have a taste
"""

from itertools import compress
from typing import Final

import msgspec
from aiohttp import web

from gateway.emulator.errors import ServiceError
from gateway.emulator.faults import Faults
from gateway.emulator.model import rank
from gateway.emulator.operations import EMULATOR, json_response
from gateway.emulator.ranking import filter_of
from gateway.emulator.validation import MEMBER_RULES, validate
from gateway.emulator.wire import decode_ranking, members_of

ORACLE_BODY_BYTES_MAX: Final = 64 << 20
LIMIT_DEFAULT: Final = 100
LIMIT_MAX: Final = 100_000
COUNT_DIGITS_MAX: Final = 12  # int() takes quadratic time


class _IdealItem(msgspec.Struct, rename="camel"):
    item_id: str
    score: float | None


class _ServedCampaign(msgspec.Struct, rename="camel"):
    arn: str
    operation: str
    filters: list[str]


class _Order(Faults, frozen=True, forbid_unknown_fields=True, kw_only=True):
    campaign: str | None = None


_ORDER: Final = msgspec.json.Decoder(_Order)


async def health(_: web.Request) -> web.Response:
    """Say that the emulator serves."""
    return web.Response(text="ok")


async def stats(request: web.Request) -> web.Response:
    """Show the counters."""
    return json_response(request.app[EMULATOR].stats)


async def reset_stats(request: web.Request) -> web.Response:
    """Set the counters to zero and show them."""
    request.app[EMULATOR].stats.reset()
    return await stats(request)


async def campaigns(request: web.Request) -> web.Response:
    """List what is served."""
    world = request.app[EMULATOR].world
    served = [
        _ServedCampaign(
            arn=one.arn,
            operation=one.recipe.operation,
            filters=sorted(world.filters.expressions if one.filters is None else one.filters),
        )
        for one in world.campaigns.values()
    ]
    return json_response({"campaigns": served, "trackers": sorted(world.tracking_ids)})


async def faults(request: web.Request) -> web.Response:
    """Show the faults that hold."""
    return json_response(request.app[EMULATOR].conditions.ordered())


async def order_faults(request: web.Request) -> web.Response:
    """Let faults hold, and show those that do."""
    order = members_of(await request.read(), _ORDER)
    wanted = {name: getattr(order, name) for name in Faults.__struct_fields__}
    request.app[EMULATOR].conditions.order(Faults(**wanted), order.campaign)
    return await faults(request)


async def clear_faults(request: web.Request) -> web.Response:
    """End all faults, those of the file too."""
    request.app[EMULATOR].conditions.clear()
    return await faults(request)


async def oracle(request: web.Request) -> web.Response:
    """Rank a list of any length as one call would, its filter applied: one softmax, unrounded scores."""
    body = await request.clone(client_max_size=ORACLE_BODY_BYTES_MAX).read()
    call = decode_ranking(body)
    validate(call, MEMBER_RULES)
    emulator = request.app[EMULATOR]
    campaign = emulator.world.campaign(call.campaign_arn)
    emulator.settle()
    item_ids, scores = rank(
        campaign.model, call.user_id, call.input_list, decimals=None, list_dependent=campaign.list_dependent
    )
    ideal = list(map(_IdealItem, item_ids, scores))
    if call.filter_arn is not None:
        ideal = list(compress(ideal, filter_of(emulator.world, campaign, call)(item_ids)))
    return json_response({"personalizedRanking": ideal, "campaignArn": campaign.arn})


async def items(request: web.Request) -> web.Response:
    """List items with what is known of them."""
    listing = request.app[EMULATOR].world.listing
    page = listing.page(_count(request, "offset", default=0), _count(request, "limit", LIMIT_DEFAULT, LIMIT_MAX))
    return json_response({"total": len(listing), "items": page})


async def users(request: web.Request) -> web.Response:
    """List ids of users."""
    user_ids = request.app[EMULATOR].world.model.user_ids
    return json_response({"users": user_ids[: _count(request, "limit", LIMIT_DEFAULT, LIMIT_MAX)]})


def _count(request: web.Request, name: str, default: int, highest: int | None = None) -> int:
    text = request.query.get(name, str(default))
    if not (text.isascii() and text.isdecimal() and len(text) <= COUNT_DIGITS_MAX):
        raise ServiceError("InvalidInputException", f"{name} must be a whole number, 0 or more")
    count = int(text)
    return count if highest is None else min(count, highest)
