"""Videos in object stores."""
