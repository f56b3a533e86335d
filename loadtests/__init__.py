"""Programs that measure; each prints what it found and how. None is a test."""
