from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from hydrad.v1 import job_pb2 as _job_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Mapping as _Mapping, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor
JOB_PHASE_ADMISSION: JobPhase
JOB_PHASE_ENDED: JobPhase
JOB_PHASE_EVALUATE: JobPhase
JOB_PHASE_INIT: JobPhase
JOB_PHASE_PILOT: JobPhase
JOB_PHASE_PREPARE: JobPhase
JOB_PHASE_SAVE: JobPhase
JOB_PHASE_TRAIN: JobPhase
JOB_PHASE_UNSPECIFIED: JobPhase
JOB_STATE_CANCELLED: JobState
JOB_STATE_COMPLETED: JobState
JOB_STATE_FAILED: JobState
JOB_STATE_PAUSED: JobState
JOB_STATE_PENDING: JobState
JOB_STATE_RUNNING: JobState
JOB_STATE_UNSPECIFIED: JobState
WORKER_STATE_QUARANTINED: WorkerState
WORKER_STATE_READY: WorkerState
WORKER_STATE_RESTARTING: WorkerState
WORKER_STATE_STARTING: WorkerState
WORKER_STATE_UNSPECIFIED: WorkerState

class CheckpointInfo(_message.Message):
    __slots__ = ["bytes", "inside_step", "path", "step", "time", "validation_loss"]
    BYTES_FIELD_NUMBER: _ClassVar[int]
    INSIDE_STEP_FIELD_NUMBER: _ClassVar[int]
    PATH_FIELD_NUMBER: _ClassVar[int]
    STEP_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    VALIDATION_LOSS_FIELD_NUMBER: _ClassVar[int]
    bytes: int
    inside_step: bool
    path: str
    step: int
    time: _timestamp_pb2.Timestamp
    validation_loss: float
    def __init__(self, path: _Optional[str] = ..., step: _Optional[int] = ..., time: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., bytes: _Optional[int] = ..., validation_loss: _Optional[float] = ..., inside_step: bool = ...) -> None: ...

class EvaluationMetrics(_message.Message):
    __slots__ = ["accuracy", "loss", "perplexity", "split", "step", "tokens"]
    ACCURACY_FIELD_NUMBER: _ClassVar[int]
    LOSS_FIELD_NUMBER: _ClassVar[int]
    PERPLEXITY_FIELD_NUMBER: _ClassVar[int]
    SPLIT_FIELD_NUMBER: _ClassVar[int]
    STEP_FIELD_NUMBER: _ClassVar[int]
    TOKENS_FIELD_NUMBER: _ClassVar[int]
    accuracy: float
    loss: float
    perplexity: float
    split: str
    step: int
    tokens: int
    def __init__(self, step: _Optional[int] = ..., split: _Optional[str] = ..., loss: _Optional[float] = ..., perplexity: _Optional[float] = ..., tokens: _Optional[int] = ..., accuracy: _Optional[float] = ...) -> None: ...

class GpuStatus(_message.Message):
    __slots__ = ["energy_joules", "memory_total_bytes", "memory_used_bytes", "model", "power_watts", "use"]
    ENERGY_JOULES_FIELD_NUMBER: _ClassVar[int]
    MEMORY_TOTAL_BYTES_FIELD_NUMBER: _ClassVar[int]
    MEMORY_USED_BYTES_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    POWER_WATTS_FIELD_NUMBER: _ClassVar[int]
    USE_FIELD_NUMBER: _ClassVar[int]
    energy_joules: float
    memory_total_bytes: int
    memory_used_bytes: int
    model: str
    power_watts: float
    use: float
    def __init__(self, model: _Optional[str] = ..., use: _Optional[float] = ..., memory_used_bytes: _Optional[int] = ..., memory_total_bytes: _Optional[int] = ..., power_watts: _Optional[float] = ..., energy_joules: _Optional[float] = ...) -> None: ...

class JobDetail(_message.Message):
    __slots__ = ["checkpoints", "evaluations", "output_path", "partition", "pool_demand", "spec", "status", "steps", "totals", "traffic", "warnings"]
    CHECKPOINTS_FIELD_NUMBER: _ClassVar[int]
    EVALUATIONS_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_PATH_FIELD_NUMBER: _ClassVar[int]
    PARTITION_FIELD_NUMBER: _ClassVar[int]
    POOL_DEMAND_FIELD_NUMBER: _ClassVar[int]
    SPEC_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    STEPS_FIELD_NUMBER: _ClassVar[int]
    TOTALS_FIELD_NUMBER: _ClassVar[int]
    TRAFFIC_FIELD_NUMBER: _ClassVar[int]
    WARNINGS_FIELD_NUMBER: _ClassVar[int]
    checkpoints: _containers.RepeatedCompositeFieldContainer[CheckpointInfo]
    evaluations: _containers.RepeatedCompositeFieldContainer[EvaluationMetrics]
    output_path: str
    partition: Partition
    pool_demand: PoolDemand
    spec: _job_pb2.JobSpec
    status: JobStatus
    steps: _containers.RepeatedCompositeFieldContainer[StepMetrics]
    totals: JobTotals
    traffic: StepTraffic
    warnings: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, status: _Optional[_Union[JobStatus, _Mapping]] = ..., spec: _Optional[_Union[_job_pb2.JobSpec, _Mapping]] = ..., partition: _Optional[_Union[Partition, _Mapping]] = ..., pool_demand: _Optional[_Union[PoolDemand, _Mapping]] = ..., steps: _Optional[_Iterable[_Union[StepMetrics, _Mapping]]] = ..., evaluations: _Optional[_Iterable[_Union[EvaluationMetrics, _Mapping]]] = ..., totals: _Optional[_Union[JobTotals, _Mapping]] = ..., output_path: _Optional[str] = ..., checkpoints: _Optional[_Iterable[_Union[CheckpointInfo, _Mapping]]] = ..., warnings: _Optional[_Iterable[str]] = ..., traffic: _Optional[_Union[StepTraffic, _Mapping]] = ...) -> None: ...

class JobStatus(_message.Message):
    __slots__ = ["counts_examples", "ended_at", "forecast_end", "forecast_start", "job_id", "name", "overall_tokens_per_second", "owner", "owner_user", "parameters", "phase", "priority", "project", "project_group", "reason", "remaining", "shard_count", "started_at", "state", "step", "submitted_at", "sweep_id", "test_accuracy", "test_loss", "test_perplexity", "tokens_per_second", "total_steps", "train_loss", "validation_accuracy", "validation_loss", "validation_perplexity", "withheld"]
    COUNTS_EXAMPLES_FIELD_NUMBER: _ClassVar[int]
    ENDED_AT_FIELD_NUMBER: _ClassVar[int]
    FORECAST_END_FIELD_NUMBER: _ClassVar[int]
    FORECAST_START_FIELD_NUMBER: _ClassVar[int]
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    OVERALL_TOKENS_PER_SECOND_FIELD_NUMBER: _ClassVar[int]
    OWNER_FIELD_NUMBER: _ClassVar[int]
    OWNER_USER_FIELD_NUMBER: _ClassVar[int]
    PARAMETERS_FIELD_NUMBER: _ClassVar[int]
    PHASE_FIELD_NUMBER: _ClassVar[int]
    PRIORITY_FIELD_NUMBER: _ClassVar[int]
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    PROJECT_GROUP_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    REMAINING_FIELD_NUMBER: _ClassVar[int]
    SHARD_COUNT_FIELD_NUMBER: _ClassVar[int]
    STARTED_AT_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    STEP_FIELD_NUMBER: _ClassVar[int]
    SUBMITTED_AT_FIELD_NUMBER: _ClassVar[int]
    SWEEP_ID_FIELD_NUMBER: _ClassVar[int]
    TEST_ACCURACY_FIELD_NUMBER: _ClassVar[int]
    TEST_LOSS_FIELD_NUMBER: _ClassVar[int]
    TEST_PERPLEXITY_FIELD_NUMBER: _ClassVar[int]
    TOKENS_PER_SECOND_FIELD_NUMBER: _ClassVar[int]
    TOTAL_STEPS_FIELD_NUMBER: _ClassVar[int]
    TRAIN_LOSS_FIELD_NUMBER: _ClassVar[int]
    VALIDATION_ACCURACY_FIELD_NUMBER: _ClassVar[int]
    VALIDATION_LOSS_FIELD_NUMBER: _ClassVar[int]
    VALIDATION_PERPLEXITY_FIELD_NUMBER: _ClassVar[int]
    WITHHELD_FIELD_NUMBER: _ClassVar[int]
    counts_examples: bool
    ended_at: _timestamp_pb2.Timestamp
    forecast_end: _timestamp_pb2.Timestamp
    forecast_start: _timestamp_pb2.Timestamp
    job_id: str
    name: str
    overall_tokens_per_second: float
    owner: str
    owner_user: int
    parameters: _containers.RepeatedScalarFieldContainer[str]
    phase: JobPhase
    priority: int
    project: str
    project_group: int
    reason: str
    remaining: _duration_pb2.Duration
    shard_count: int
    started_at: _timestamp_pb2.Timestamp
    state: JobState
    step: int
    submitted_at: _timestamp_pb2.Timestamp
    sweep_id: str
    test_accuracy: float
    test_loss: float
    test_perplexity: float
    tokens_per_second: float
    total_steps: int
    train_loss: float
    validation_accuracy: float
    validation_loss: float
    validation_perplexity: float
    withheld: bool
    def __init__(self, job_id: _Optional[str] = ..., sweep_id: _Optional[str] = ..., name: _Optional[str] = ..., state: _Optional[_Union[JobState, str]] = ..., phase: _Optional[_Union[JobPhase, str]] = ..., reason: _Optional[str] = ..., step: _Optional[int] = ..., total_steps: _Optional[int] = ..., train_loss: _Optional[float] = ..., validation_loss: _Optional[float] = ..., test_loss: _Optional[float] = ..., validation_perplexity: _Optional[float] = ..., test_perplexity: _Optional[float] = ..., tokens_per_second: _Optional[float] = ..., remaining: _Optional[_Union[_duration_pb2.Duration, _Mapping]] = ..., shard_count: _Optional[int] = ..., submitted_at: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., started_at: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., ended_at: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., parameters: _Optional[_Iterable[str]] = ..., overall_tokens_per_second: _Optional[float] = ..., validation_accuracy: _Optional[float] = ..., test_accuracy: _Optional[float] = ..., counts_examples: bool = ..., owner_user: _Optional[int] = ..., owner: _Optional[str] = ..., project: _Optional[str] = ..., project_group: _Optional[int] = ..., withheld: bool = ..., priority: _Optional[int] = ..., forecast_start: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., forecast_end: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class JobTotals(_message.Message):
    __slots__ = ["between_tasks", "cached_bytes", "compute", "copy", "demoted_bytes", "device", "energy_joules", "idle", "nonfinite_steps", "promoted_bytes", "retried_tasks", "tasks", "wait_for_server"]
    BETWEEN_TASKS_FIELD_NUMBER: _ClassVar[int]
    CACHED_BYTES_FIELD_NUMBER: _ClassVar[int]
    COMPUTE_FIELD_NUMBER: _ClassVar[int]
    COPY_FIELD_NUMBER: _ClassVar[int]
    DEMOTED_BYTES_FIELD_NUMBER: _ClassVar[int]
    DEVICE_FIELD_NUMBER: _ClassVar[int]
    ENERGY_JOULES_FIELD_NUMBER: _ClassVar[int]
    IDLE_FIELD_NUMBER: _ClassVar[int]
    NONFINITE_STEPS_FIELD_NUMBER: _ClassVar[int]
    PROMOTED_BYTES_FIELD_NUMBER: _ClassVar[int]
    RETRIED_TASKS_FIELD_NUMBER: _ClassVar[int]
    TASKS_FIELD_NUMBER: _ClassVar[int]
    WAIT_FOR_SERVER_FIELD_NUMBER: _ClassVar[int]
    between_tasks: _duration_pb2.Duration
    cached_bytes: int
    compute: _duration_pb2.Duration
    copy: _duration_pb2.Duration
    demoted_bytes: int
    device: _duration_pb2.Duration
    energy_joules: float
    idle: _duration_pb2.Duration
    nonfinite_steps: int
    promoted_bytes: int
    retried_tasks: int
    tasks: int
    wait_for_server: _duration_pb2.Duration
    def __init__(self, tasks: _Optional[int] = ..., retried_tasks: _Optional[int] = ..., promoted_bytes: _Optional[int] = ..., demoted_bytes: _Optional[int] = ..., cached_bytes: _Optional[int] = ..., compute: _Optional[_Union[_duration_pb2.Duration, _Mapping]] = ..., nonfinite_steps: _Optional[int] = ..., device: _Optional[_Union[_duration_pb2.Duration, _Mapping]] = ..., copy: _Optional[_Union[_duration_pb2.Duration, _Mapping]] = ..., wait_for_server: _Optional[_Union[_duration_pb2.Duration, _Mapping]] = ..., idle: _Optional[_Union[_duration_pb2.Duration, _Mapping]] = ..., between_tasks: _Optional[_Union[_duration_pb2.Duration, _Mapping]] = ..., energy_joules: _Optional[float] = ...) -> None: ...

class KindBytes(_message.Message):
    __slots__ = ["activation_gradients", "activations", "optimizer_state", "parameter_gradients", "parameters"]
    ACTIVATIONS_FIELD_NUMBER: _ClassVar[int]
    ACTIVATION_GRADIENTS_FIELD_NUMBER: _ClassVar[int]
    OPTIMIZER_STATE_FIELD_NUMBER: _ClassVar[int]
    PARAMETERS_FIELD_NUMBER: _ClassVar[int]
    PARAMETER_GRADIENTS_FIELD_NUMBER: _ClassVar[int]
    activation_gradients: int
    activations: int
    optimizer_state: int
    parameter_gradients: int
    parameters: int
    def __init__(self, parameters: _Optional[int] = ..., optimizer_state: _Optional[int] = ..., activations: _Optional[int] = ..., activation_gradients: _Optional[int] = ..., parameter_gradients: _Optional[int] = ...) -> None: ...

class LayerProfile(_message.Message):
    __slots__ = ["backward", "forward", "kind", "layer", "parameter_bytes", "peak_bytes", "saved_bytes"]
    BACKWARD_FIELD_NUMBER: _ClassVar[int]
    FORWARD_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    LAYER_FIELD_NUMBER: _ClassVar[int]
    PARAMETER_BYTES_FIELD_NUMBER: _ClassVar[int]
    PEAK_BYTES_FIELD_NUMBER: _ClassVar[int]
    SAVED_BYTES_FIELD_NUMBER: _ClassVar[int]
    backward: _duration_pb2.Duration
    forward: _duration_pb2.Duration
    kind: str
    layer: int
    parameter_bytes: int
    peak_bytes: int
    saved_bytes: int
    def __init__(self, layer: _Optional[int] = ..., kind: _Optional[str] = ..., parameter_bytes: _Optional[int] = ..., saved_bytes: _Optional[int] = ..., peak_bytes: _Optional[int] = ..., forward: _Optional[_Union[_duration_pb2.Duration, _Mapping]] = ..., backward: _Optional[_Union[_duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class Partition(_message.Message):
    __slots__ = ["cut_points", "layers", "source", "step", "step_of_longest_shards", "updates"]
    CUT_POINTS_FIELD_NUMBER: _ClassVar[int]
    LAYERS_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    STEP_FIELD_NUMBER: _ClassVar[int]
    STEP_OF_LONGEST_SHARDS_FIELD_NUMBER: _ClassVar[int]
    UPDATES_FIELD_NUMBER: _ClassVar[int]
    cut_points: _containers.RepeatedScalarFieldContainer[int]
    layers: _containers.RepeatedCompositeFieldContainer[LayerProfile]
    source: str
    step: _duration_pb2.Duration
    step_of_longest_shards: _duration_pb2.Duration
    updates: UpdatePlan
    def __init__(self, cut_points: _Optional[_Iterable[int]] = ..., layers: _Optional[_Iterable[_Union[LayerProfile, _Mapping]]] = ..., source: _Optional[str] = ..., updates: _Optional[_Union[UpdatePlan, _Mapping]] = ..., step: _Optional[_Union[_duration_pb2.Duration, _Mapping]] = ..., step_of_longest_shards: _Optional[_Union[_duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class PoolDemand(_message.Message):
    __slots__ = ["base_bytes", "boundary_bytes", "committed_bytes", "gradient_bytes", "largest_write_bytes", "rounds", "total_bytes"]
    BASE_BYTES_FIELD_NUMBER: _ClassVar[int]
    BOUNDARY_BYTES_FIELD_NUMBER: _ClassVar[int]
    COMMITTED_BYTES_FIELD_NUMBER: _ClassVar[int]
    GRADIENT_BYTES_FIELD_NUMBER: _ClassVar[int]
    LARGEST_WRITE_BYTES_FIELD_NUMBER: _ClassVar[int]
    ROUNDS_FIELD_NUMBER: _ClassVar[int]
    TOTAL_BYTES_FIELD_NUMBER: _ClassVar[int]
    base_bytes: int
    boundary_bytes: int
    committed_bytes: int
    gradient_bytes: int
    largest_write_bytes: int
    rounds: int
    total_bytes: int
    def __init__(self, committed_bytes: _Optional[int] = ..., boundary_bytes: _Optional[int] = ..., gradient_bytes: _Optional[int] = ..., largest_write_bytes: _Optional[int] = ..., total_bytes: _Optional[int] = ..., rounds: _Optional[int] = ..., base_bytes: _Optional[int] = ...) -> None: ...

class StepMetrics(_message.Message):
    __slots__ = ["device", "grad_norm", "loss_scale", "overflowed", "skipped_blocks", "step", "time", "train_loss"]
    DEVICE_FIELD_NUMBER: _ClassVar[int]
    GRAD_NORM_FIELD_NUMBER: _ClassVar[int]
    LOSS_SCALE_FIELD_NUMBER: _ClassVar[int]
    OVERFLOWED_FIELD_NUMBER: _ClassVar[int]
    SKIPPED_BLOCKS_FIELD_NUMBER: _ClassVar[int]
    STEP_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    TRAIN_LOSS_FIELD_NUMBER: _ClassVar[int]
    device: _duration_pb2.Duration
    grad_norm: float
    loss_scale: float
    overflowed: bool
    skipped_blocks: int
    step: int
    time: _timestamp_pb2.Timestamp
    train_loss: float
    def __init__(self, step: _Optional[int] = ..., train_loss: _Optional[float] = ..., time: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., skipped_blocks: _Optional[int] = ..., grad_norm: _Optional[float] = ..., device: _Optional[_Union[_duration_pb2.Duration, _Mapping]] = ..., loss_scale: _Optional[float] = ..., overflowed: bool = ...) -> None: ...

class StepTraffic(_message.Message):
    __slots__ = ["cached", "demoted", "predicted_demoted", "predicted_promoted", "promoted", "steps", "updates"]
    CACHED_FIELD_NUMBER: _ClassVar[int]
    DEMOTED_FIELD_NUMBER: _ClassVar[int]
    PREDICTED_DEMOTED_FIELD_NUMBER: _ClassVar[int]
    PREDICTED_PROMOTED_FIELD_NUMBER: _ClassVar[int]
    PROMOTED_FIELD_NUMBER: _ClassVar[int]
    STEPS_FIELD_NUMBER: _ClassVar[int]
    UPDATES_FIELD_NUMBER: _ClassVar[int]
    cached: KindBytes
    demoted: KindBytes
    predicted_demoted: KindBytes
    predicted_promoted: KindBytes
    promoted: KindBytes
    steps: int
    updates: _job_pb2.UpdatePlace
    def __init__(self, steps: _Optional[int] = ..., promoted: _Optional[_Union[KindBytes, _Mapping]] = ..., cached: _Optional[_Union[KindBytes, _Mapping]] = ..., demoted: _Optional[_Union[KindBytes, _Mapping]] = ..., updates: _Optional[_Union[_job_pb2.UpdatePlace, str]] = ..., predicted_promoted: _Optional[_Union[KindBytes, _Mapping]] = ..., predicted_demoted: _Optional[_Union[KindBytes, _Mapping]] = ...) -> None: ...

class UpdatePlan(_message.Message):
    __slots__ = ["on_device", "on_host", "place"]
    ON_DEVICE_FIELD_NUMBER: _ClassVar[int]
    ON_HOST_FIELD_NUMBER: _ClassVar[int]
    PLACE_FIELD_NUMBER: _ClassVar[int]
    on_device: _duration_pb2.Duration
    on_host: _duration_pb2.Duration
    place: _job_pb2.UpdatePlace
    def __init__(self, place: _Optional[_Union[_job_pb2.UpdatePlace, str]] = ..., on_host: _Optional[_Union[_duration_pb2.Duration, _Mapping]] = ..., on_device: _Optional[_Union[_duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class WorkerStatus(_message.Message):
    __slots__ = ["attached", "busy", "compute_cpu", "computing", "demoting", "device", "drain_reason", "draining", "finished_tasks", "gpu", "held_tasks", "memory_limit_bytes", "outside_bytes", "peak_bytes", "pid", "promoting", "reason", "restarts", "state", "task", "task_job_id", "threads"]
    ATTACHED_FIELD_NUMBER: _ClassVar[int]
    BUSY_FIELD_NUMBER: _ClassVar[int]
    COMPUTE_CPU_FIELD_NUMBER: _ClassVar[int]
    COMPUTING_FIELD_NUMBER: _ClassVar[int]
    DEMOTING_FIELD_NUMBER: _ClassVar[int]
    DEVICE_FIELD_NUMBER: _ClassVar[int]
    DRAINING_FIELD_NUMBER: _ClassVar[int]
    DRAIN_REASON_FIELD_NUMBER: _ClassVar[int]
    FINISHED_TASKS_FIELD_NUMBER: _ClassVar[int]
    GPU_FIELD_NUMBER: _ClassVar[int]
    HELD_TASKS_FIELD_NUMBER: _ClassVar[int]
    MEMORY_LIMIT_BYTES_FIELD_NUMBER: _ClassVar[int]
    OUTSIDE_BYTES_FIELD_NUMBER: _ClassVar[int]
    PEAK_BYTES_FIELD_NUMBER: _ClassVar[int]
    PID_FIELD_NUMBER: _ClassVar[int]
    PROMOTING_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    RESTARTS_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    TASK_FIELD_NUMBER: _ClassVar[int]
    TASK_JOB_ID_FIELD_NUMBER: _ClassVar[int]
    THREADS_FIELD_NUMBER: _ClassVar[int]
    attached: _duration_pb2.Duration
    busy: _duration_pb2.Duration
    compute_cpu: _duration_pb2.Duration
    computing: float
    demoting: float
    device: str
    drain_reason: str
    draining: bool
    finished_tasks: int
    gpu: GpuStatus
    held_tasks: int
    memory_limit_bytes: int
    outside_bytes: int
    peak_bytes: int
    pid: int
    promoting: float
    reason: str
    restarts: int
    state: WorkerState
    task: str
    task_job_id: str
    threads: int
    def __init__(self, device: _Optional[str] = ..., state: _Optional[_Union[WorkerState, str]] = ..., pid: _Optional[int] = ..., memory_limit_bytes: _Optional[int] = ..., peak_bytes: _Optional[int] = ..., outside_bytes: _Optional[int] = ..., threads: _Optional[int] = ..., task: _Optional[str] = ..., held_tasks: _Optional[int] = ..., finished_tasks: _Optional[int] = ..., restarts: _Optional[int] = ..., busy: _Optional[_Union[_duration_pb2.Duration, _Mapping]] = ..., compute_cpu: _Optional[_Union[_duration_pb2.Duration, _Mapping]] = ..., attached: _Optional[_Union[_duration_pb2.Duration, _Mapping]] = ..., reason: _Optional[str] = ..., computing: _Optional[float] = ..., promoting: _Optional[float] = ..., demoting: _Optional[float] = ..., gpu: _Optional[_Union[GpuStatus, _Mapping]] = ..., draining: bool = ..., drain_reason: _Optional[str] = ..., task_job_id: _Optional[str] = ...) -> None: ...

class JobState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = []

class JobPhase(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = []

class WorkerState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = []
