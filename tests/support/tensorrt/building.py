"""The half of the module that builds plans: parser, network, configuration."""

import onnxruntime


class HostMemory(bytes):
    """``IHostMemory``: a buffer with a length."""

    @property
    def nbytes(self):
        return len(self)


class Network:
    def __init__(self, flags):
        self.stub_flags, self.stub_graph = flags, None
        self._session = None

    def stub_session(self):
        if self._session is None:
            self._session = onnxruntime.InferenceSession(self.stub_graph, providers=["CPUExecutionProvider"])
        return self._session

    @property
    def num_inputs(self):
        return len(self.stub_session().get_inputs())

    @property
    def num_outputs(self):
        return len(self.stub_session().get_outputs())


class ParserError:
    def __init__(self, text):
        self._text = text

    def desc(self):
        return self._text

    def __str__(self):
        return self._text


class OnnxParser:
    def __init__(self, network, logger):
        self._network, self._errors = network, []

    def parse(self, model, path=None):
        self._network.stub_graph = bytes(model)
        try:
            self._network.stub_session()
        except Exception as error:
            self._errors.append(ParserError(str(error)))
            return False
        return True

    def parse_from_file(self, model):
        with open(model, "rb") as file:  # noqa: PTH123
            return self.parse(file.read())

    @property
    def num_errors(self):
        return len(self._errors)

    def get_error(self, index):
        return self._errors[index]

    def clear_errors(self):
        self._errors.clear()


def add_building(library, gpu, has, plan_from_graph):
    """Give a stub module its ``Builder``, ``OnnxParser`` and what they make."""
    flag_bits = library.NetworkDefinitionCreationFlag
    builder_flags = library.BuilderFlag

    class TimingCache:
        def __init__(self, data):
            self._data = bytes(data)

        def serialize(self):
            return HostMemory(self._data or b"timing")

        def combine(self, input_cache, ignore_mismatch):
            return True

        def reset(self):
            return True

    class Config:
        def __init__(self):
            self.stub_flags, self.stub_cache, self.stub_pools = set(), None, {}

        def set_flag(self, flag):
            assert isinstance(flag, builder_flags)
            self.stub_flags.add(flag)

        def clear_flag(self, flag):
            self.stub_flags.discard(flag)

        def get_flag(self, flag):
            return flag in self.stub_flags

        def set_memory_pool_limit(self, pool, pool_size):
            self.stub_pools[pool] = pool_size

        def get_memory_pool_limit(self, pool):
            return self.stub_pools.get(pool, gpu.total)

        def create_timing_cache(self, serialized_timing_cache):
            return TimingCache(serialized_timing_cache)

        def set_timing_cache(self, cache, ignore_mismatch):
            self.stub_cache = cache
            return True

        def get_timing_cache(self):
            return self.stub_cache

    plain = (
        "profiling_verbosity",
        "builder_optimization_level",
        "hardware_compatibility_level",
        "max_aux_streams",
        "progress_monitor",
        "avg_timing_iterations",
        "DLA_core",
        "engine_capability",
        "profile_stream",
    )
    body = {k: v for k, v in vars(Config).items() if k == "__init__"}
    body |= {k: vars(Config)[k] for k in has["IBuilderConfig"] if k in vars(Config)}
    # like the bindings, an attribute that the version lacks cannot be set
    body["__slots__"] = (
        "stub_flags", "stub_cache", "stub_pools", *(k for k in has["IBuilderConfig"] if k in plain)
    )  # fmt: skip
    config_class = type("IBuilderConfig", (), body)

    class Builder:
        def __init__(self, logger):
            gpu.check("Builder")
            self.logger = library.stub_global_logger(logger)

        def create_network(self, flags=0):
            return Network(flags)

        def create_builder_config(self):
            return config_class()

        @property
        def platform_has_fast_fp16(self):
            return True

        @property
        def platform_has_fast_int8(self):
            return gpu.compute_capability >= (7, 2) or gpu.compute_capability == (6, 1)

        @property
        def num_DLA_cores(self):  # noqa: N802
            return 0

        def build_serialized_network(self, network, config):
            gpu.check("build_serialized_network")
            if "EXPLICIT_BATCH" in has["NetworkDefinitionCreationFlag"] and library.__version__.startswith("8."):
                assert network.stub_flags >> int(flag_bits.EXPLICIT_BATCH) & 1, "an ONNX graph needs EXPLICIT_BATCH"
            strongly = "STRONGLY_TYPED" in has["NetworkDefinitionCreationFlag"]
            if strongly and network.stub_flags >> int(flag_bits.STRONGLY_TYPED) & 1:
                loose = {flag.name for flag in config.stub_flags} & {"FP16", "INT8", "BF16"}
                if loose:
                    self.logger.log(
                        library.ILogger.ERROR, f"9: {sorted(loose)[0]} is not allowed in a strongly typed network."
                    )
                    return None
            return HostMemory(plan_from_graph(network.stub_graph, library.__version__, gpu))

    keep = {"__init__", "__module__", *has["Builder"]}
    library.Builder = type("Builder", (), {k: v for k, v in vars(Builder).items() if k in keep})

    class Parser(OnnxParser):
        def __init__(self, network, logger):
            super().__init__(network, library.stub_global_logger(logger))

    library.OnnxParser = Parser
    library.IHostMemory = HostMemory
