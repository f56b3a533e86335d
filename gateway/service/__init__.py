"""The choreography: looks up, plans, fans out, calibrates, orders, stores. Knows ports, never vendors."""
