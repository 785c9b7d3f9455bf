"""From packets to pictures: streams, changes of them, clocks, orientation, faults."""
