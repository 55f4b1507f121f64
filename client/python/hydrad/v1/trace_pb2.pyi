from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Mapping as _Mapping, Optional as _Optional, Union as _Union

DECISION_KIND_ADMITTED: DecisionKind
DECISION_KIND_CHECKPOINT_BEGUN: DecisionKind
DECISION_KIND_CHECKPOINT_WRITTEN: DecisionKind
DECISION_KIND_UNSPECIFIED: DecisionKind
DECISION_KIND_WITHDRAWN: DecisionKind
DECISION_KIND_WORKER_DIED: DecisionKind
DESCRIPTOR: _descriptor.FileDescriptor
DEVICE_WAIT_KIND_DAEMON: DeviceWaitKind
DEVICE_WAIT_KIND_IDLE: DeviceWaitKind
DEVICE_WAIT_KIND_UNSPECIFIED: DeviceWaitKind
DEVICE_WAIT_KIND_WORKER: DeviceWaitKind
TASK_OUTCOME_COMMITTED: TaskOutcome
TASK_OUTCOME_DISCARDED: TaskOutcome
TASK_OUTCOME_FAILED: TaskOutcome
TASK_OUTCOME_UNSPECIFIED: TaskOutcome

class DeviceWait(_message.Message):
    __slots__ = ["begin", "end", "kind"]
    BEGIN_FIELD_NUMBER: _ClassVar[int]
    END_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    begin: _timestamp_pb2.Timestamp
    end: _timestamp_pb2.Timestamp
    kind: DeviceWaitKind
    def __init__(self, kind: _Optional[_Union[DeviceWaitKind, str]] = ..., begin: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., end: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class TracedDecision(_message.Message):
    __slots__ = ["device", "job_id", "kind", "step", "time"]
    DEVICE_FIELD_NUMBER: _ClassVar[int]
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    STEP_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    device: str
    job_id: str
    kind: DecisionKind
    step: int
    time: _timestamp_pb2.Timestamp
    def __init__(self, kind: _Optional[_Union[DecisionKind, str]] = ..., time: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., job_id: _Optional[str] = ..., device: _Optional[str] = ..., step: _Optional[int] = ...) -> None: ...

class TracedTask(_message.Message):
    __slots__ = ["begun", "cached_bytes", "compute", "copy", "demoted_bytes", "device", "ended", "first_layer", "first_micro_batch", "handed_out", "job_id", "kind", "last_layer", "last_micro_batch", "outcome", "peak_bytes", "promoted_bytes", "shard", "split", "step", "waits", "withheld"]
    BEGUN_FIELD_NUMBER: _ClassVar[int]
    CACHED_BYTES_FIELD_NUMBER: _ClassVar[int]
    COMPUTE_FIELD_NUMBER: _ClassVar[int]
    COPY_FIELD_NUMBER: _ClassVar[int]
    DEMOTED_BYTES_FIELD_NUMBER: _ClassVar[int]
    DEVICE_FIELD_NUMBER: _ClassVar[int]
    ENDED_FIELD_NUMBER: _ClassVar[int]
    FIRST_LAYER_FIELD_NUMBER: _ClassVar[int]
    FIRST_MICRO_BATCH_FIELD_NUMBER: _ClassVar[int]
    HANDED_OUT_FIELD_NUMBER: _ClassVar[int]
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    LAST_LAYER_FIELD_NUMBER: _ClassVar[int]
    LAST_MICRO_BATCH_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    PEAK_BYTES_FIELD_NUMBER: _ClassVar[int]
    PROMOTED_BYTES_FIELD_NUMBER: _ClassVar[int]
    SHARD_FIELD_NUMBER: _ClassVar[int]
    SPLIT_FIELD_NUMBER: _ClassVar[int]
    STEP_FIELD_NUMBER: _ClassVar[int]
    WAITS_FIELD_NUMBER: _ClassVar[int]
    WITHHELD_FIELD_NUMBER: _ClassVar[int]
    begun: _timestamp_pb2.Timestamp
    cached_bytes: int
    compute: _duration_pb2.Duration
    copy: _duration_pb2.Duration
    demoted_bytes: int
    device: str
    ended: _timestamp_pb2.Timestamp
    first_layer: int
    first_micro_batch: int
    handed_out: _timestamp_pb2.Timestamp
    job_id: str
    kind: str
    last_layer: int
    last_micro_batch: int
    outcome: TaskOutcome
    peak_bytes: int
    promoted_bytes: int
    shard: int
    split: str
    step: int
    waits: _containers.RepeatedCompositeFieldContainer[DeviceWait]
    withheld: bool
    def __init__(self, job_id: _Optional[str] = ..., device: _Optional[str] = ..., kind: _Optional[str] = ..., shard: _Optional[int] = ..., first_layer: _Optional[int] = ..., last_layer: _Optional[int] = ..., step: _Optional[int] = ..., first_micro_batch: _Optional[int] = ..., last_micro_batch: _Optional[int] = ..., split: _Optional[str] = ..., outcome: _Optional[_Union[TaskOutcome, str]] = ..., handed_out: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., begun: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., ended: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., compute: _Optional[_Union[_duration_pb2.Duration, _Mapping]] = ..., copy: _Optional[_Union[_duration_pb2.Duration, _Mapping]] = ..., promoted_bytes: _Optional[int] = ..., demoted_bytes: _Optional[int] = ..., cached_bytes: _Optional[int] = ..., peak_bytes: _Optional[int] = ..., waits: _Optional[_Iterable[_Union[DeviceWait, _Mapping]]] = ..., withheld: bool = ...) -> None: ...

class TaskOutcome(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = []

class DeviceWaitKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = []

class DecisionKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = []
