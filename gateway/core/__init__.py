"""The pure core: plan, calibrate, order. No await, clock, randomness or environment; numpy and the standard library."""
