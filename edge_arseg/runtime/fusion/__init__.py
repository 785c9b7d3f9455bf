"""How the LR feature is fused with the keyframe's: the contract (``contract``), every way of doing it (``cpu``,
``cuda``, ``graph``), and the one table that says which is taken (``opening``)."""
