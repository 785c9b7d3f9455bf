"""What stands in the street: cars, people, furniture, facades, road and sky."""
