"""What each version of TensorRT's Python module has.

8.5 is read off the bindings' source (``python/src/infer/pyCore.cpp`` of the release), 11.4 off the bindings of
TensorRT-RTX 1.7.1, which share it. 8.6, 10.3 and 10.16 lie between: what the release notes and migration guides add and
remove. Only names that matter to loading, running and building are listed.
"""

_TENSORS = """
num_io_tensors get_tensor_name get_tensor_mode is_shape_inference_io get_tensor_shape get_tensor_dtype
get_tensor_location get_tensor_bytes_per_component get_tensor_components_per_element get_tensor_format
get_tensor_format_desc get_tensor_vectorized_dim get_tensor_profile_shape create_execution_context
create_engine_inspector engine_capability error_recorder name num_layers num_optimization_profiles profiling_verbosity
refittable serialize tactic_sources
"""
_BINDINGS = """
num_bindings __len__ __getitem__ get_binding_name get_binding_index binding_is_input get_binding_shape get_binding_dtype
get_location get_profile_shape get_profile_shape_input is_shape_binding is_execution_binding max_batch_size
has_implicit_batch_dimension
"""
_ENGINE_85 = _TENSORS + _BINDINGS + "device_memory_size create_execution_context_without_device_memory"
_ENGINE_86 = _ENGINE_85 + " hardware_compatibility_level num_aux_streams"
_ENGINE_103 = (
    _TENSORS
    + """
device_memory_size device_memory_size_v2 create_execution_context_without_device_memory hardware_compatibility_level
num_aux_streams get_tensor_profile_values is_debug_tensor streamable_weights_size weight_streaming_budget_v2
create_serialization_config serialize_with_config get_device_memory_size_for_profile_v2
"""
)
_ENGINE_1016 = _ENGINE_103 + " create_runtime_config get_engine_stat get_aliased_input_tensor"
_GONE_11 = {"device_memory_size", "create_execution_context_without_device_memory"}

_CONTEXT = """
get_tensor_strides set_input_shape get_tensor_shape set_tensor_address get_tensor_address set_input_consumed_event
get_input_consumed_event set_output_allocator get_output_allocator get_max_output_size temporary_allocator infer_shapes
execute_v2 execute_async_v3 all_binding_shapes_specified set_optimization_profile_async error_recorder
enqueue_emits_profile report_to_profiler persistent_cache_limit nvtx_verbosity debug_sync profiler engine name
active_optimization_profile
"""
_CONTEXT_8 = _CONTEXT + "execute execute_async execute_async_v2 get_strides set_binding_shape get_binding_shape"
_CONTEXT_10 = _CONTEXT + "set_device_memory update_device_memory_size_for_shapes set_tensor_debug_state set_aux_streams"
_CONTEXT_11 = _CONTEXT_10 + " is_stream_capturable get_runtime_config set_communicator"

_FLAGS_85 = """
FP16 INT8 DEBUG GPU_FALLBACK STRICT_TYPES REFIT DISABLE_TIMING_CACHE TF32 SPARSE_WEIGHTS SAFETY_SCOPE
OBEY_PRECISION_CONSTRAINTS PREFER_PRECISION_CONSTRAINTS DIRECT_IO REJECT_EMPTY_ALGORITHMS ENABLE_TACTIC_HEURISTIC
"""
_FLAGS_86 = _FLAGS_85 + "FP8 VERSION_COMPATIBLE EXCLUDE_LEAN_RUNTIME"
_FLAGS_103 = """
FP16 BF16 INT8 FP8 INT4 DEBUG GPU_FALLBACK REFIT DISABLE_TIMING_CACHE TF32 SPARSE_WEIGHTS SAFETY_SCOPE
OBEY_PRECISION_CONSTRAINTS PREFER_PRECISION_CONSTRAINTS DIRECT_IO REJECT_EMPTY_ALGORITHMS VERSION_COMPATIBLE
EXCLUDE_LEAN_RUNTIME ERROR_ON_TIMING_CACHE_MISS DISABLE_COMPILATION_CACHE STRIP_PLAN REFIT_IDENTICAL WEIGHT_STREAMING
"""
_FLAGS_1016 = _FLAGS_103 + "REFIT_INDIVIDUAL STRICT_NANS MONITOR_MEMORY EDITABLE_TIMING_CACHE FP4"
_FLAGS_114 = """
DEBUG DIRECT_IO DISABLE_COMPILATION_CACHE DISABLE_TIMING_CACHE DISTRIBUTIVE_INDEPENDENCE EDITABLE_TIMING_CACHE
ERROR_ON_TIMING_CACHE_MISS EXCLUDE_LEAN_RUNTIME GPU_FALLBACK MONITOR_MEMORY REFIT REFIT_IDENTICAL REFIT_INDIVIDUAL
SAFETY_SCOPE SPARSE_WEIGHTS STRICT_NANS STRIP_PLAN TF32 VERSION_COMPATIBLE WEIGHT_STREAMING
"""

_CONFIG = """
set_memory_pool_limit get_memory_pool_limit set_flag get_flag clear_flag flags reset profile_stream engine_capability
profiling_verbosity create_timing_cache set_timing_cache get_timing_cache set_tactic_sources get_tactic_sources
avg_timing_iterations DLA_core default_device_type
"""
_CONFIG_8 = _CONFIG + "max_workspace_size int8_calibrator algorithm_selector set_preview_feature"
_CONFIG_86 = _CONFIG_8 + " builder_optimization_level hardware_compatibility_level max_aux_streams"
_CONFIG_10 = (
    _CONFIG
    + """
int8_calibrator algorithm_selector set_preview_feature builder_optimization_level hardware_compatibility_level
max_aux_streams progress_monitor runtime_platform
"""
)
_CONFIG_11 = _CONFIG + "builder_optimization_level hardware_compatibility_level max_aux_streams progress_monitor"

_BUILDER = "create_network create_builder_config build_serialized_network is_network_supported max_threads logger reset"
_BUILDER_FAST = _BUILDER + " platform_has_fast_fp16 platform_has_fast_int8 platform_has_tf32 num_DLA_cores"
_BUILDER_8 = _BUILDER_FAST + " build_engine max_batch_size"

_TYPES_85 = "FLOAT HALF INT8 INT32 BOOL UINT8"
_TYPES_86 = _TYPES_85 + " FP8"
_TYPES_103 = _TYPES_86 + " BF16 INT64 INT4"
_TYPES_1016 = _TYPES_103 + " FP4 E8M0"

TABLES = {
    (8, 5): {
        "ICudaEngine": _ENGINE_85,
        "IExecutionContext": _CONTEXT_8 + " device_memory",
        "IBuilderConfig": _CONFIG_8,
        "Builder": _BUILDER_8,
        "BuilderFlag": _FLAGS_85,
        "NetworkDefinitionCreationFlag": "EXPLICIT_BATCH EXPLICIT_PRECISION",
        "DataType": _TYPES_85,
    },
    (8, 6): {
        "ICudaEngine": _ENGINE_86,
        "IExecutionContext": _CONTEXT_8 + " device_memory",
        "IBuilderConfig": _CONFIG_86,
        "Builder": _BUILDER_8,
        "BuilderFlag": _FLAGS_86,
        "NetworkDefinitionCreationFlag": "EXPLICIT_BATCH EXPLICIT_PRECISION",
        "DataType": _TYPES_86,
    },
    (10, 3): {
        "ICudaEngine": _ENGINE_103,
        "IExecutionContext": _CONTEXT_10,
        "IBuilderConfig": _CONFIG_10,
        "Builder": _BUILDER_FAST,
        "BuilderFlag": _FLAGS_103,
        "NetworkDefinitionCreationFlag": "EXPLICIT_BATCH STRONGLY_TYPED",
        "DataType": _TYPES_103,
    },
    (10, 16): {
        "ICudaEngine": _ENGINE_1016,
        "IExecutionContext": _CONTEXT_10 + " is_stream_capturable get_runtime_config",
        "IBuilderConfig": _CONFIG_10,
        "Builder": _BUILDER_FAST,
        "BuilderFlag": _FLAGS_1016,
        "NetworkDefinitionCreationFlag": (
            "EXPLICIT_BATCH STRONGLY_TYPED PREFER_AOT_PYTHON_PLUGINS PREFER_JIT_PYTHON_PLUGINS"
        ),
        "DataType": _TYPES_1016,
    },
    (11, 4): {
        "ICudaEngine": " ".join(sorted(set(_ENGINE_1016.split()) - _GONE_11)),
        "IExecutionContext": _CONTEXT_11,
        "IBuilderConfig": _CONFIG_11,
        "Builder": _BUILDER,
        "BuilderFlag": _FLAGS_114,
        "NetworkDefinitionCreationFlag": "STRONGLY_TYPED",
        "DataType": _TYPES_1016,
    },
}


def attributes(version: str) -> dict[str, list[str]]:
    """Class or enum to the names it has in a version."""
    major, minor = map(int, version.split(".")[:2])
    return {name: names.split() for name, names in TABLES[major, minor].items()}
