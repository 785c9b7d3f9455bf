"""Pictures of which a part is missing."""
