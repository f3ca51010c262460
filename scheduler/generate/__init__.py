"""Round folders made up from published figures, and empty templates."""
