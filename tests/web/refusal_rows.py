"""Every way to show no credentials, false ones, or too small rights, by a name for people: a table.

A row makes one bad request out of an honest one, under the settings of a gateway; the slug says how it is refused.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from gateway.settings_auth import AuthSettings
from tests.web.changes import Change, a_second_later, by, edits, shows, signs
from tests.web.keys import KEYS, PAIRS, auth, sha256, tenant
from tests.web.operations import ASKING, BODIES

RANKING = [one for one in ASKING if {"campaign", "campaignArn"} & BODIES.get(one[1], {}).keys()]
EVENTS = [one for one in ASKING if "trackingId" in BODIES.get(one[1], {})]

KEY, CANARY = KEYS["shop"], "canary-of-nobody-0d11"
AUTHORIZATION, API_KEY = "Authorization", "X-Api-Key"
SIGNATURE = f"AWS4-HMAC-SHA256 Credential={PAIRS['shop'][0]}/20261122/eu-west-1/personalize/aws4_request"
ROTATED = auth(shop=tenant("shop", keys_sha256=[sha256("new-canary-key"), sha256("newer-canary-key")]))


class Row(NamedTuple):
    """What is done to an honest request, what is told of it, and under which settings."""

    change: Change
    slug: str
    auth: AuthSettings = auth()
    skew_s: float = 0.0
    operations: Sequence[tuple[str, str]] = ASKING


ROWS: Mapping[str, Row] = {
    # no credentials
    "nothing": Row(shows(), "no-credentials"),
    "an empty header": Row(shows((AUTHORIZATION, "")), "no-credentials"),
    "another scheme": Row(shows((AUTHORIZATION, f"Basic {KEY}")), "no-credentials"),
    "no scheme": Row(shows((AUTHORIZATION, KEY)), "no-credentials"),
    "a key in a cookie": Row(shows(("Cookie", f"key={KEY}; X-Api-Key={KEY}")), "no-credentials"),
    "a key in the query": Row(shows(query=f"?key={KEY}&api_key={KEY}&X-Api-Key={KEY}"), "no-credentials"),
    "a signature in the query": Row(shows(query=f"?X-Amz-Algorithm={SIGNATURE[:16]}&X-Amz-Signature=0"),
                                    "no-credentials"),
    "two kinds of header": Row(shows((AUTHORIZATION, f"Bearer {KEY}"), (API_KEY, KEY)), "no-credentials"),
    "a key twice": Row(shows((AUTHORIZATION, f"Bearer {KEY}"), (AUTHORIZATION, f"Bearer {KEY}")), "no-credentials"),
    "two keys": Row(shows((API_KEY, KEY), (API_KEY, CANARY)), "no-credentials"),
    "a key for signatures": Row(by("shop"), "no-credentials", auth("sigv4")),
    "a signature for keys": Row(signs(), "no-credentials", auth("keys")),
    # keys of nobody
    "no key": Row(shows((AUTHORIZATION, "Bearer")), "unknown-credentials"),
    "an empty key": Row(shows((API_KEY, "")), "unknown-credentials"),
    "another key": Row(shows((AUTHORIZATION, f"Bearer {CANARY}")), "unknown-credentials"),
    "a key and more": Row(shows((AUTHORIZATION, f"Bearer {KEY}x")), "unknown-credentials"),
    "less than a key": Row(shows((API_KEY, KEY[:-1])), "unknown-credentials"),
    "a key in other letters": Row(shows((API_KEY, KEY.upper())), "unknown-credentials"),
    "what is stored of a key": Row(shows((AUTHORIZATION, f"Bearer {sha256(KEY)}")), "unknown-credentials"),
    "two keys in one": Row(shows((API_KEY, f"{KEY},{KEY}")), "unknown-credentials"),
    "bytes that are no text": Row(shows((AUTHORIZATION, "Bearer \udcff\udcfe")), "unknown-credentials"),
    "a key of before the rotation": Row(by("shop"), "unknown-credentials", ROTATED),
    "the secret of a pair": Row(shows((API_KEY, PAIRS["shop"][1])), "unknown-credentials"),
    "a pair of nobody": Row(signs(key_id="GWAKNOBODY", secret=CANARY), "unknown-credentials"),
    # signatures
    "another secret": Row(signs(secret=CANARY), "bad-signature"),
    "another tenant's secret": Row(signs(secret=PAIRS["app"][1]), "bad-signature"),
    "for another service": Row(signs(service="s3"), "bad-signature"),
    "for the name of its endpoint": Row(signs(service="personalize-runtime"), "bad-signature"),
    "for another region": Row(signs(edits(AUTHORIZATION, lambda it: it.replace("eu-west-1", "us-east-1"))),
                              "bad-signature"),
    "for another day": Row(signs(edits("X-Amz-Date", lambda it: f"20200101{it[8:]}")), "bad-signature"),
    "for another host": Row(signs(host="gateway.example"), "bad-signature"),
    "for another port": Row(signs(host="127.0.0.1:1"), "bad-signature"),
    "for another path": Row(signs(target="/v1/rerank/other"), "bad-signature"),
    "for another query": Row(signs(lambda sent: sent._replace(target=f"{sent.target}?a=b")), "bad-signature"),
    "for another method": Row(signs(method="PATCH"), "bad-signature"),
    "for another body": Row(signs(body=b'{"other":1}'), "bad-signature"),
    "for another time": Row(signs(edits("X-Amz-Date", a_second_later)), "bad-signature"),
    "for another content type": Row(signs(edits("Content-Type", lambda it: f"{it}; charset=utf-8")), "bad-signature"),
    "with another token": Row(signs(edits("X-Amz-Security-Token", lambda _: CANARY), token="token"), "bad-signature"),
    "with a digit changed": Row(signs(edits(AUTHORIZATION, lambda it: it[:-1] + "10"[it[-1] == "1"])),
                                "bad-signature"),
    "with a digit missing": Row(signs(edits(AUTHORIZATION, lambda it: it[:-1])), "bad-signature"),
    "in capitals": Row(signs(edits(AUTHORIZATION, lambda it: it[:-64] + it[-64:].upper())), "bad-signature"),
    "of an unsigned host": Row(signs(edits(AUTHORIZATION, lambda it: it.replace("host;", ""))), "bad-signature"),
    "of a header that is not there": Row(signs(edits(AUTHORIZATION, lambda it: it.replace("host;", "host;x-a;"))),
                                         "bad-signature"),
    "of no payload": Row(signs(headers={"X-Amz-Content-SHA256": "UNSIGNED-PAYLOAD"}), "bad-signature"),
    "of a streamed payload": Row(signs(headers={"X-Amz-Content-SHA256": "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"}),
                                 "bad-signature"),
    "of two dates": Row(signs(shows(("X-Amz-Date", "20261122T101500Z"))), "bad-signature"),
    "of no date": Row(signs(edits("X-Amz-Date", lambda _: "")), "bad-signature"),
    "of no form": Row(shows((AUTHORIZATION, f"{SIGNATURE}, Signature={CANARY}")), "bad-signature"),
    "of the scheme alone": Row(shows((AUTHORIZATION, "AWS4-HMAC-SHA256")), "bad-signature"),
    "of another algorithm": Row(shows((AUTHORIZATION, SIGNATURE.replace("HMAC-SHA256", "ECDSA-P256-SHA256"))),
                                "no-credentials"),
    "by a clock that is late": Row(signs(), "bad-signature", skew_s=310.0),
    "by a clock that is early": Row(signs(), "bad-signature", skew_s=-310.0),
    "replayed on the next day": Row(signs(), "bad-signature", skew_s=86_400.0),
    # rights
    "another's campaign": Row(by("shop"), "not-allowed", auth(shop=tenant("shop", campaigns=["other"])),
                              operations=RANKING),
    "another's campaign, signed": Row(signs(), "not-allowed", auth(shop=tenant("shop", campaigns=["other"])),
                                      operations=RANKING),
    "another's tracker": Row(by("shop"), "not-allowed", auth(shop=tenant("shop", trackers=["mine"])),
                             operations=EVENTS),
    "another's tracker, signed": Row(signs(), "not-allowed", auth(shop=tenant("shop", trackers=["mine"])),
                                     operations=EVENTS),
}  # fmt: skip
