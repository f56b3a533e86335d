"""The audit of a campaign, decided in pure code: which lists to ask, and what the answers say of the merge.

heard     what one call answered, as far as it can be read
lists     lists that are as different as they can be, and share items
ratios    whether score ratios hold over them, told apart from answers that move by themselves
probes    what else a campaign does: sums, decimals, odd lists, latencies
"""
