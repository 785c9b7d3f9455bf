from importlib.util import find_spec

collect_ignore_glob = [] if find_spec("numba") else ["test_fusion_*.py", "test_decode*.py"]
