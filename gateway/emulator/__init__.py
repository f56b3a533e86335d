"""A local Amazon Personalize Runtime, with its events: wire, limits and scores of the service, without an account.

Any AWS SDK can point at it. It is a house of its own and imports nothing of the gateway, so that it cannot share
a mistake with what it checks.

    config.py                          what can be set
    words.py store.py                  the built-in store
    csv_files.py learning.py           your own CSVs, and what is learnt from them
    saved_model.py
    catalogue.py model.py campaigns.py what is served: item columns, logits, the table of campaigns
    tastes.py lru.py settling.py       what events move, and when
    errors.py rules.py sigv4.py        the operations, decided in pure code: what they share,
    wire.py validation.py ranking.py   GetPersonalizedRanking,
    events_wire.py events_rules.py     PutEvents
    events.py
    stats.py latency.py                what was asked, how long it takes
    operations.py control.py server.py HTTP
"""
