"""HTTP in: decodes, calls the service, renders. Knows nothing of AWS clients or caches."""
