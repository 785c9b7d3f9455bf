"""Sensors read in a process of their own, while another one is measured."""
