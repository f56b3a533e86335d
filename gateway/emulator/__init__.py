"""A local Amazon Personalize Runtime, with its events: wire, limits and scores of the service, without an account.

Any AWS SDK can point at it. It is a house of its own and imports nothing of the gateway, so that it cannot share
a mistake with what it checks.

    config.py timing.py faults.py      what can be set
    words.py store.py                  the built-in store
    csv_files.py learning.py           your own CSVs, and what is learnt from them
    saved_model.py evaluation.py       and how good that is
    catalogue.py model.py data.py      what is served: item columns, logits, models by name,
    recipes.py campaigns.py            the table of campaigns
    tastes.py lru.py settling.py       what events move, and when,
    history.py filtering.py            and what filters see of them
    filters/                           the language of filters
    errors.py rules.py sigv4.py        the operations, decided in pure code: what they share,
    metadata.py
    wire.py validation.py ranking.py   GetPersonalizedRanking,
    recommendations_wire.py            GetRecommendations,
    recommendations_rules.py
    recommending.py promoting.py
    actions.py                         GetActionRecommendations,
    events_wire.py events_rules.py     PutEvents
    events.py
    latency.py capacity.py             what happens to a call: how long it takes, what goes wrong with it
    conditions.py damage.py
    undergoing.py
    stats.py recording.py              what was asked
    operations.py control.py server.py HTTP
"""
