"""The rerank gateway: one ranking call without the 500-item limit of Amazon Personalize."""
