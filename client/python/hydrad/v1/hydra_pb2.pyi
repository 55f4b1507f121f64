from google.protobuf import timestamp_pb2 as _timestamp_pb2
from hydrad.v1 import job_pb2 as _job_pb2
from hydrad.v1 import status_pb2 as _status_pb2
from hydrad.v1 import trace_pb2 as _trace_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Mapping as _Mapping, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class AuditEntry(_message.Message):
    __slots__ = ["jobs", "lost_entries", "more_refusals", "name", "pid", "result", "rpc", "sequence", "target", "time", "user"]
    JOBS_FIELD_NUMBER: _ClassVar[int]
    LOST_ENTRIES_FIELD_NUMBER: _ClassVar[int]
    MORE_REFUSALS_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    PID_FIELD_NUMBER: _ClassVar[int]
    RESULT_FIELD_NUMBER: _ClassVar[int]
    RPC_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    TARGET_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    USER_FIELD_NUMBER: _ClassVar[int]
    jobs: int
    lost_entries: int
    more_refusals: int
    name: str
    pid: int
    result: str
    rpc: str
    sequence: int
    target: str
    time: _timestamp_pb2.Timestamp
    user: int
    def __init__(self, sequence: _Optional[int] = ..., time: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., user: _Optional[int] = ..., name: _Optional[str] = ..., pid: _Optional[int] = ..., rpc: _Optional[str] = ..., target: _Optional[str] = ..., jobs: _Optional[int] = ..., result: _Optional[str] = ..., more_refusals: _Optional[int] = ..., lost_entries: _Optional[int] = ...) -> None: ...

class CancelRequest(_message.Message):
    __slots__ = ["delete_checkpoints", "job_id", "sweep_id"]
    DELETE_CHECKPOINTS_FIELD_NUMBER: _ClassVar[int]
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    SWEEP_ID_FIELD_NUMBER: _ClassVar[int]
    delete_checkpoints: bool
    job_id: str
    sweep_id: str
    def __init__(self, job_id: _Optional[str] = ..., sweep_id: _Optional[str] = ..., delete_checkpoints: bool = ...) -> None: ...

class CancelResponse(_message.Message):
    __slots__ = ["cancelled_job_ids"]
    CANCELLED_JOB_IDS_FIELD_NUMBER: _ClassVar[int]
    cancelled_job_ids: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, cancelled_job_ids: _Optional[_Iterable[str]] = ...) -> None: ...

class DeleteRequest(_message.Message):
    __slots__ = ["job_id", "sweep_id"]
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    SWEEP_ID_FIELD_NUMBER: _ClassVar[int]
    job_id: str
    sweep_id: str
    def __init__(self, job_id: _Optional[str] = ..., sweep_id: _Optional[str] = ...) -> None: ...

class DeleteResponse(_message.Message):
    __slots__ = ["deleted_job_ids"]
    DELETED_JOB_IDS_FIELD_NUMBER: _ClassVar[int]
    deleted_job_ids: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, deleted_job_ids: _Optional[_Iterable[str]] = ...) -> None: ...

class DevicePlan(_message.Message):
    __slots__ = ["backward_bytes", "cut_points", "demoted", "demoted_with_device_updates", "evaluate_bytes", "forward_bytes", "least_pool_bytes", "memory_limit_bytes", "pool_demand", "promoted", "promoted_with_device_updates", "refusal"]
    BACKWARD_BYTES_FIELD_NUMBER: _ClassVar[int]
    CUT_POINTS_FIELD_NUMBER: _ClassVar[int]
    DEMOTED_FIELD_NUMBER: _ClassVar[int]
    DEMOTED_WITH_DEVICE_UPDATES_FIELD_NUMBER: _ClassVar[int]
    EVALUATE_BYTES_FIELD_NUMBER: _ClassVar[int]
    FORWARD_BYTES_FIELD_NUMBER: _ClassVar[int]
    LEAST_POOL_BYTES_FIELD_NUMBER: _ClassVar[int]
    MEMORY_LIMIT_BYTES_FIELD_NUMBER: _ClassVar[int]
    POOL_DEMAND_FIELD_NUMBER: _ClassVar[int]
    PROMOTED_FIELD_NUMBER: _ClassVar[int]
    PROMOTED_WITH_DEVICE_UPDATES_FIELD_NUMBER: _ClassVar[int]
    REFUSAL_FIELD_NUMBER: _ClassVar[int]
    backward_bytes: int
    cut_points: _containers.RepeatedScalarFieldContainer[int]
    demoted: _status_pb2.KindBytes
    demoted_with_device_updates: _status_pb2.KindBytes
    evaluate_bytes: int
    forward_bytes: int
    least_pool_bytes: int
    memory_limit_bytes: int
    pool_demand: _status_pb2.PoolDemand
    promoted: _status_pb2.KindBytes
    promoted_with_device_updates: _status_pb2.KindBytes
    refusal: str
    def __init__(self, memory_limit_bytes: _Optional[int] = ..., refusal: _Optional[str] = ..., cut_points: _Optional[_Iterable[int]] = ..., forward_bytes: _Optional[int] = ..., backward_bytes: _Optional[int] = ..., evaluate_bytes: _Optional[int] = ..., pool_demand: _Optional[_Union[_status_pb2.PoolDemand, _Mapping]] = ..., least_pool_bytes: _Optional[int] = ..., promoted: _Optional[_Union[_status_pb2.KindBytes, _Mapping]] = ..., demoted: _Optional[_Union[_status_pb2.KindBytes, _Mapping]] = ..., promoted_with_device_updates: _Optional[_Union[_status_pb2.KindBytes, _Mapping]] = ..., demoted_with_device_updates: _Optional[_Union[_status_pb2.KindBytes, _Mapping]] = ...) -> None: ...

class DownloadRequest(_message.Message):
    __slots__ = ["job_id"]
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    job_id: str
    def __init__(self, job_id: _Optional[str] = ...) -> None: ...

class DownloadResponse(_message.Message):
    __slots__ = ["data", "file_bytes", "file_name"]
    DATA_FIELD_NUMBER: _ClassVar[int]
    FILE_BYTES_FIELD_NUMBER: _ClassVar[int]
    FILE_NAME_FIELD_NUMBER: _ClassVar[int]
    data: bytes
    file_bytes: int
    file_name: str
    def __init__(self, file_name: _Optional[str] = ..., file_bytes: _Optional[int] = ..., data: _Optional[bytes] = ...) -> None: ...

class DrainRequest(_message.Message):
    __slots__ = ["all", "devices", "reason", "undrain"]
    ALL_FIELD_NUMBER: _ClassVar[int]
    DEVICES_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    UNDRAIN_FIELD_NUMBER: _ClassVar[int]
    all: bool
    devices: _containers.RepeatedScalarFieldContainer[str]
    reason: str
    undrain: bool
    def __init__(self, devices: _Optional[_Iterable[str]] = ..., all: bool = ..., reason: _Optional[str] = ..., undrain: bool = ...) -> None: ...

class DrainResponse(_message.Message):
    __slots__ = ["maintenance", "workers"]
    MAINTENANCE_FIELD_NUMBER: _ClassVar[int]
    WORKERS_FIELD_NUMBER: _ClassVar[int]
    maintenance: str
    workers: _containers.RepeatedCompositeFieldContainer[_status_pb2.WorkerStatus]
    def __init__(self, workers: _Optional[_Iterable[_Union[_status_pb2.WorkerStatus, _Mapping]]] = ..., maintenance: _Optional[str] = ...) -> None: ...

class GetJobRequest(_message.Message):
    __slots__ = ["job_id"]
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    job_id: str
    def __init__(self, job_id: _Optional[str] = ...) -> None: ...

class GetJobResponse(_message.Message):
    __slots__ = ["job"]
    JOB_FIELD_NUMBER: _ClassVar[int]
    job: _status_pb2.JobDetail
    def __init__(self, job: _Optional[_Union[_status_pb2.JobDetail, _Mapping]] = ...) -> None: ...

class GetResultsRequest(_message.Message):
    __slots__ = ["sweep_id"]
    SWEEP_ID_FIELD_NUMBER: _ClassVar[int]
    sweep_id: str
    def __init__(self, sweep_id: _Optional[str] = ...) -> None: ...

class GetResultsResponse(_message.Message):
    __slots__ = ["jobs", "totals"]
    JOBS_FIELD_NUMBER: _ClassVar[int]
    TOTALS_FIELD_NUMBER: _ClassVar[int]
    jobs: _containers.RepeatedCompositeFieldContainer[_status_pb2.JobStatus]
    totals: _status_pb2.JobTotals
    def __init__(self, jobs: _Optional[_Iterable[_Union[_status_pb2.JobStatus, _Mapping]]] = ..., totals: _Optional[_Union[_status_pb2.JobTotals, _Mapping]] = ...) -> None: ...

class GetServerInfoRequest(_message.Message):
    __slots__ = []
    def __init__(self) -> None: ...

class GetServerInfoResponse(_message.Message):
    __slots__ = ["cpu_has_avx2", "cpu_model", "http_address", "http_socket", "maintenance", "pool_bytes", "pool_is_locked", "pool_is_memory", "pool_path", "pool_reserved_bytes", "pool_used_bytes", "server_time", "started_at", "state_dir", "state_free_bytes", "version"]
    CPU_HAS_AVX2_FIELD_NUMBER: _ClassVar[int]
    CPU_MODEL_FIELD_NUMBER: _ClassVar[int]
    HTTP_ADDRESS_FIELD_NUMBER: _ClassVar[int]
    HTTP_SOCKET_FIELD_NUMBER: _ClassVar[int]
    MAINTENANCE_FIELD_NUMBER: _ClassVar[int]
    POOL_BYTES_FIELD_NUMBER: _ClassVar[int]
    POOL_IS_LOCKED_FIELD_NUMBER: _ClassVar[int]
    POOL_IS_MEMORY_FIELD_NUMBER: _ClassVar[int]
    POOL_PATH_FIELD_NUMBER: _ClassVar[int]
    POOL_RESERVED_BYTES_FIELD_NUMBER: _ClassVar[int]
    POOL_USED_BYTES_FIELD_NUMBER: _ClassVar[int]
    SERVER_TIME_FIELD_NUMBER: _ClassVar[int]
    STARTED_AT_FIELD_NUMBER: _ClassVar[int]
    STATE_DIR_FIELD_NUMBER: _ClassVar[int]
    STATE_FREE_BYTES_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    cpu_has_avx2: bool
    cpu_model: str
    http_address: str
    http_socket: str
    maintenance: str
    pool_bytes: int
    pool_is_locked: bool
    pool_is_memory: bool
    pool_path: str
    pool_reserved_bytes: int
    pool_used_bytes: int
    server_time: _timestamp_pb2.Timestamp
    started_at: _timestamp_pb2.Timestamp
    state_dir: str
    state_free_bytes: int
    version: str
    def __init__(self, version: _Optional[str] = ..., pool_path: _Optional[str] = ..., pool_bytes: _Optional[int] = ..., pool_used_bytes: _Optional[int] = ..., pool_reserved_bytes: _Optional[int] = ..., started_at: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., state_dir: _Optional[str] = ..., state_free_bytes: _Optional[int] = ..., server_time: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., pool_is_memory: bool = ..., pool_is_locked: bool = ..., cpu_model: _Optional[str] = ..., cpu_has_avx2: bool = ..., http_socket: _Optional[str] = ..., http_address: _Optional[str] = ..., maintenance: _Optional[str] = ...) -> None: ...

class JobPlan(_message.Message):
    __slots__ = ["devices", "layers", "least_device_bytes", "name", "parameter_count", "parameters", "trained_count"]
    DEVICES_FIELD_NUMBER: _ClassVar[int]
    LAYERS_FIELD_NUMBER: _ClassVar[int]
    LEAST_DEVICE_BYTES_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    PARAMETERS_FIELD_NUMBER: _ClassVar[int]
    PARAMETER_COUNT_FIELD_NUMBER: _ClassVar[int]
    TRAINED_COUNT_FIELD_NUMBER: _ClassVar[int]
    devices: _containers.RepeatedCompositeFieldContainer[DevicePlan]
    layers: int
    least_device_bytes: int
    name: str
    parameter_count: int
    parameters: _containers.RepeatedScalarFieldContainer[str]
    trained_count: int
    def __init__(self, name: _Optional[str] = ..., parameters: _Optional[_Iterable[str]] = ..., parameter_count: _Optional[int] = ..., trained_count: _Optional[int] = ..., layers: _Optional[int] = ..., least_device_bytes: _Optional[int] = ..., devices: _Optional[_Iterable[_Union[DevicePlan, _Mapping]]] = ...) -> None: ...

class ListAuditRequest(_message.Message):
    __slots__ = ["page_size", "page_token", "since", "user"]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    SINCE_FIELD_NUMBER: _ClassVar[int]
    USER_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    since: _timestamp_pb2.Timestamp
    user: str
    def __init__(self, user: _Optional[str] = ..., since: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListAuditResponse(_message.Message):
    __slots__ = ["entries", "next_page_token"]
    ENTRIES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    entries: _containers.RepeatedCompositeFieldContainer[AuditEntry]
    next_page_token: str
    def __init__(self, entries: _Optional[_Iterable[_Union[AuditEntry, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class ListJobsRequest(_message.Message):
    __slots__ = ["name", "owner", "page_size", "page_token", "states", "submitted_after", "submitted_before", "sweep_id"]
    NAME_FIELD_NUMBER: _ClassVar[int]
    OWNER_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    STATES_FIELD_NUMBER: _ClassVar[int]
    SUBMITTED_AFTER_FIELD_NUMBER: _ClassVar[int]
    SUBMITTED_BEFORE_FIELD_NUMBER: _ClassVar[int]
    SWEEP_ID_FIELD_NUMBER: _ClassVar[int]
    name: str
    owner: str
    page_size: int
    page_token: str
    states: _containers.RepeatedScalarFieldContainer[_status_pb2.JobState]
    submitted_after: _timestamp_pb2.Timestamp
    submitted_before: _timestamp_pb2.Timestamp
    sweep_id: str
    def __init__(self, sweep_id: _Optional[str] = ..., states: _Optional[_Iterable[_Union[_status_pb2.JobState, str]]] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., owner: _Optional[str] = ..., name: _Optional[str] = ..., submitted_after: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., submitted_before: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class ListJobsResponse(_message.Message):
    __slots__ = ["jobs", "next_page_token"]
    JOBS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    jobs: _containers.RepeatedCompositeFieldContainer[_status_pb2.JobStatus]
    next_page_token: str
    def __init__(self, jobs: _Optional[_Iterable[_Union[_status_pb2.JobStatus, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class ListMetricsRequest(_message.Message):
    __slots__ = ["first_step", "job_id", "page_size", "page_token"]
    FIRST_STEP_FIELD_NUMBER: _ClassVar[int]
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    first_step: int
    job_id: str
    page_size: int
    page_token: str
    def __init__(self, job_id: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., first_step: _Optional[int] = ...) -> None: ...

class ListMetricsResponse(_message.Message):
    __slots__ = ["evaluations", "next_page_token", "steps"]
    EVALUATIONS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    STEPS_FIELD_NUMBER: _ClassVar[int]
    evaluations: _containers.RepeatedCompositeFieldContainer[_status_pb2.EvaluationMetrics]
    next_page_token: str
    steps: _containers.RepeatedCompositeFieldContainer[_status_pb2.StepMetrics]
    def __init__(self, steps: _Optional[_Iterable[_Union[_status_pb2.StepMetrics, _Mapping]]] = ..., evaluations: _Optional[_Iterable[_Union[_status_pb2.EvaluationMetrics, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class ListWorkersRequest(_message.Message):
    __slots__ = []
    def __init__(self) -> None: ...

class ListWorkersResponse(_message.Message):
    __slots__ = ["workers"]
    WORKERS_FIELD_NUMBER: _ClassVar[int]
    workers: _containers.RepeatedCompositeFieldContainer[_status_pb2.WorkerStatus]
    def __init__(self, workers: _Optional[_Iterable[_Union[_status_pb2.WorkerStatus, _Mapping]]] = ...) -> None: ...

class LogLine(_message.Message):
    __slots__ = ["sequence", "severity", "source", "step", "task_id", "text", "time"]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    SEVERITY_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    STEP_FIELD_NUMBER: _ClassVar[int]
    TASK_ID_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    sequence: int
    severity: str
    source: str
    step: int
    task_id: int
    text: str
    time: _timestamp_pb2.Timestamp
    def __init__(self, time: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., severity: _Optional[str] = ..., source: _Optional[str] = ..., step: _Optional[int] = ..., task_id: _Optional[int] = ..., text: _Optional[str] = ..., sequence: _Optional[int] = ...) -> None: ...

class PauseRequest(_message.Message):
    __slots__ = ["job_id", "sweep_id"]
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    SWEEP_ID_FIELD_NUMBER: _ClassVar[int]
    job_id: str
    sweep_id: str
    def __init__(self, job_id: _Optional[str] = ..., sweep_id: _Optional[str] = ...) -> None: ...

class PauseResponse(_message.Message):
    __slots__ = ["paused_job_ids"]
    PAUSED_JOB_IDS_FIELD_NUMBER: _ClassVar[int]
    paused_job_ids: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, paused_job_ids: _Optional[_Iterable[str]] = ...) -> None: ...

class PlanRequest(_message.Message):
    __slots__ = ["base_dir", "device_memory_bytes", "grid", "job", "job_file"]
    BASE_DIR_FIELD_NUMBER: _ClassVar[int]
    DEVICE_MEMORY_BYTES_FIELD_NUMBER: _ClassVar[int]
    GRID_FIELD_NUMBER: _ClassVar[int]
    JOB_FIELD_NUMBER: _ClassVar[int]
    JOB_FILE_FIELD_NUMBER: _ClassVar[int]
    base_dir: str
    device_memory_bytes: _containers.RepeatedScalarFieldContainer[int]
    grid: _containers.RepeatedCompositeFieldContainer[_job_pb2.GridAxis]
    job: _job_pb2.JobSpec
    job_file: str
    def __init__(self, job: _Optional[_Union[_job_pb2.JobSpec, _Mapping]] = ..., grid: _Optional[_Iterable[_Union[_job_pb2.GridAxis, _Mapping]]] = ..., device_memory_bytes: _Optional[_Iterable[int]] = ..., job_file: _Optional[str] = ..., base_dir: _Optional[str] = ...) -> None: ...

class PlanResponse(_message.Message):
    __slots__ = ["jobs", "warnings"]
    JOBS_FIELD_NUMBER: _ClassVar[int]
    WARNINGS_FIELD_NUMBER: _ClassVar[int]
    jobs: _containers.RepeatedCompositeFieldContainer[JobPlan]
    warnings: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, jobs: _Optional[_Iterable[_Union[JobPlan, _Mapping]]] = ..., warnings: _Optional[_Iterable[str]] = ...) -> None: ...

class ResumeRequest(_message.Message):
    __slots__ = ["job_id", "sweep_id"]
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    SWEEP_ID_FIELD_NUMBER: _ClassVar[int]
    job_id: str
    sweep_id: str
    def __init__(self, job_id: _Optional[str] = ..., sweep_id: _Optional[str] = ...) -> None: ...

class ResumeResponse(_message.Message):
    __slots__ = ["resumed_job_ids"]
    RESUMED_JOB_IDS_FIELD_NUMBER: _ClassVar[int]
    resumed_job_ids: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, resumed_job_ids: _Optional[_Iterable[str]] = ...) -> None: ...

class SetPriorityRequest(_message.Message):
    __slots__ = ["job_id", "priority", "sweep_id"]
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    PRIORITY_FIELD_NUMBER: _ClassVar[int]
    SWEEP_ID_FIELD_NUMBER: _ClassVar[int]
    job_id: str
    priority: int
    sweep_id: str
    def __init__(self, job_id: _Optional[str] = ..., sweep_id: _Optional[str] = ..., priority: _Optional[int] = ...) -> None: ...

class SetPriorityResponse(_message.Message):
    __slots__ = ["changed_job_ids"]
    CHANGED_JOB_IDS_FIELD_NUMBER: _ClassVar[int]
    changed_job_ids: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, changed_job_ids: _Optional[_Iterable[str]] = ...) -> None: ...

class StreamLogsRequest(_message.Message):
    __slots__ = ["after", "follow", "job_id", "tail"]
    AFTER_FIELD_NUMBER: _ClassVar[int]
    FOLLOW_FIELD_NUMBER: _ClassVar[int]
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    TAIL_FIELD_NUMBER: _ClassVar[int]
    after: int
    follow: bool
    job_id: str
    tail: int
    def __init__(self, job_id: _Optional[str] = ..., follow: bool = ..., tail: _Optional[int] = ..., after: _Optional[int] = ...) -> None: ...

class StreamLogsResponse(_message.Message):
    __slots__ = ["dropped_lines", "lines"]
    DROPPED_LINES_FIELD_NUMBER: _ClassVar[int]
    LINES_FIELD_NUMBER: _ClassVar[int]
    dropped_lines: int
    lines: _containers.RepeatedCompositeFieldContainer[LogLine]
    def __init__(self, lines: _Optional[_Iterable[_Union[LogLine, _Mapping]]] = ..., dropped_lines: _Optional[int] = ...) -> None: ...

class SubmitRequest(_message.Message):
    __slots__ = ["base_dir", "grid", "job", "job_file", "request_id", "validate_only"]
    BASE_DIR_FIELD_NUMBER: _ClassVar[int]
    GRID_FIELD_NUMBER: _ClassVar[int]
    JOB_FIELD_NUMBER: _ClassVar[int]
    JOB_FILE_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    VALIDATE_ONLY_FIELD_NUMBER: _ClassVar[int]
    base_dir: str
    grid: _containers.RepeatedCompositeFieldContainer[_job_pb2.GridAxis]
    job: _job_pb2.JobSpec
    job_file: str
    request_id: str
    validate_only: bool
    def __init__(self, job: _Optional[_Union[_job_pb2.JobSpec, _Mapping]] = ..., grid: _Optional[_Iterable[_Union[_job_pb2.GridAxis, _Mapping]]] = ..., request_id: _Optional[str] = ..., validate_only: bool = ..., job_file: _Optional[str] = ..., base_dir: _Optional[str] = ...) -> None: ...

class SubmitResponse(_message.Message):
    __slots__ = ["jobs", "largest_pool_demand", "sweep_id", "warnings"]
    JOBS_FIELD_NUMBER: _ClassVar[int]
    LARGEST_POOL_DEMAND_FIELD_NUMBER: _ClassVar[int]
    SWEEP_ID_FIELD_NUMBER: _ClassVar[int]
    WARNINGS_FIELD_NUMBER: _ClassVar[int]
    jobs: _containers.RepeatedCompositeFieldContainer[_status_pb2.JobStatus]
    largest_pool_demand: _status_pb2.PoolDemand
    sweep_id: str
    warnings: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, sweep_id: _Optional[str] = ..., jobs: _Optional[_Iterable[_Union[_status_pb2.JobStatus, _Mapping]]] = ..., warnings: _Optional[_Iterable[str]] = ..., largest_pool_demand: _Optional[_Union[_status_pb2.PoolDemand, _Mapping]] = ...) -> None: ...

class TraceRequest(_message.Message):
    __slots__ = ["job_id", "sweep_id"]
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    SWEEP_ID_FIELD_NUMBER: _ClassVar[int]
    job_id: str
    sweep_id: str
    def __init__(self, job_id: _Optional[str] = ..., sweep_id: _Optional[str] = ...) -> None: ...

class TraceResponse(_message.Message):
    __slots__ = ["begin", "complete_since", "decisions", "devices", "jobs", "tasks"]
    BEGIN_FIELD_NUMBER: _ClassVar[int]
    COMPLETE_SINCE_FIELD_NUMBER: _ClassVar[int]
    DECISIONS_FIELD_NUMBER: _ClassVar[int]
    DEVICES_FIELD_NUMBER: _ClassVar[int]
    JOBS_FIELD_NUMBER: _ClassVar[int]
    TASKS_FIELD_NUMBER: _ClassVar[int]
    begin: _timestamp_pb2.Timestamp
    complete_since: _timestamp_pb2.Timestamp
    decisions: _containers.RepeatedCompositeFieldContainer[_trace_pb2.TracedDecision]
    devices: _containers.RepeatedScalarFieldContainer[str]
    jobs: _containers.RepeatedCompositeFieldContainer[_status_pb2.JobStatus]
    tasks: _containers.RepeatedCompositeFieldContainer[_trace_pb2.TracedTask]
    def __init__(self, jobs: _Optional[_Iterable[_Union[_status_pb2.JobStatus, _Mapping]]] = ..., devices: _Optional[_Iterable[str]] = ..., complete_since: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., begin: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., tasks: _Optional[_Iterable[_Union[_trace_pb2.TracedTask, _Mapping]]] = ..., decisions: _Optional[_Iterable[_Union[_trace_pb2.TracedDecision, _Mapping]]] = ...) -> None: ...

class WatchRequest(_message.Message):
    __slots__ = ["interval_ms", "job_id", "sweep_id"]
    INTERVAL_MS_FIELD_NUMBER: _ClassVar[int]
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    SWEEP_ID_FIELD_NUMBER: _ClassVar[int]
    interval_ms: int
    job_id: str
    sweep_id: str
    def __init__(self, job_id: _Optional[str] = ..., sweep_id: _Optional[str] = ..., interval_ms: _Optional[int] = ...) -> None: ...

class WatchResponse(_message.Message):
    __slots__ = ["jobs", "workers"]
    JOBS_FIELD_NUMBER: _ClassVar[int]
    WORKERS_FIELD_NUMBER: _ClassVar[int]
    jobs: _containers.RepeatedCompositeFieldContainer[_status_pb2.JobStatus]
    workers: _containers.RepeatedCompositeFieldContainer[_status_pb2.WorkerStatus]
    def __init__(self, jobs: _Optional[_Iterable[_Union[_status_pb2.JobStatus, _Mapping]]] = ..., workers: _Optional[_Iterable[_Union[_status_pb2.WorkerStatus, _Mapping]]] = ...) -> None: ...
