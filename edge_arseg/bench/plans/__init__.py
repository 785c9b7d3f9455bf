"""What is going to be measured: options, profiles, workloads, matrices."""
