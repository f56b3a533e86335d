"""A local Amazon Personalize Runtime: the wire, the limits and the scores of the service, without an account.

Any AWS SDK can point at it. It is a house of its own and imports nothing of the gateway, so that it cannot share
a mistake with what it checks.

    config.py                          what can be set
    words.py store.py                  the built-in store
    csv_files.py learning.py           your own CSVs, and what is learnt from them
    saved_model.py
    catalogue.py model.py campaigns.py what is served: item columns, logits, the table of campaigns
    errors.py wire.py validation.py    the operations, decided in pure code
    sigv4.py ranking.py
    stats.py latency.py                what was asked, how long it takes
    operations.py control.py server.py HTTP
"""
