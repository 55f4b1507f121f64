from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Mapping as _Mapping, Optional as _Optional, Union as _Union

DATA_FORMAT_CHAT: DataFormat
DATA_FORMAT_CSV: DataFormat
DATA_FORMAT_IMAGES: DataFormat
DATA_FORMAT_INSTRUCTION: DataFormat
DATA_FORMAT_JSONL: DataFormat
DATA_FORMAT_LABELED: DataFormat
DATA_FORMAT_TENSORS: DataFormat
DATA_FORMAT_TEXT: DataFormat
DATA_FORMAT_TOKENS_U16: DataFormat
DATA_FORMAT_TOKENS_U32: DataFormat
DATA_FORMAT_UNSPECIFIED: DataFormat
DESCRIPTOR: _descriptor.FileDescriptor
INITIALIZATION_PRETRAINED: Initialization
INITIALIZATION_RANDOM: Initialization
INITIALIZATION_UNSPECIFIED: Initialization
LR_SCHEDULER_TYPE_CONSTANT: LrSchedulerType
LR_SCHEDULER_TYPE_COSINE: LrSchedulerType
LR_SCHEDULER_TYPE_LINEAR: LrSchedulerType
LR_SCHEDULER_TYPE_UNSPECIFIED: LrSchedulerType
OPTIMIZER_ADAFACTOR: Optimizer
OPTIMIZER_ADAM: Optimizer
OPTIMIZER_ADAMW: Optimizer
OPTIMIZER_LION: Optimizer
OPTIMIZER_SGD: Optimizer
OPTIMIZER_UNSPECIFIED: Optimizer
PARAMETER_TYPE_AUTO: ParameterType
PARAMETER_TYPE_BFLOAT16: ParameterType
PARAMETER_TYPE_FLOAT16: ParameterType
PARAMETER_TYPE_FLOAT32: ParameterType
PARAMETER_TYPE_INT8: ParameterType
PARAMETER_TYPE_UNSPECIFIED: ParameterType
SHARD_CHOICE_FASTEST: ShardChoice
SHARD_CHOICE_LONGEST: ShardChoice
SHARD_CHOICE_UNSPECIFIED: ShardChoice
UPDATE_PLACE_AUTO: UpdatePlace
UPDATE_PLACE_DEVICE: UpdatePlace
UPDATE_PLACE_HOST: UpdatePlace
UPDATE_PLACE_UNSPECIFIED: UpdatePlace

class CheckpointSpec(_message.Message):
    __slots__ = ["every_minutes", "every_steps", "keep_best", "keep_last"]
    EVERY_MINUTES_FIELD_NUMBER: _ClassVar[int]
    EVERY_STEPS_FIELD_NUMBER: _ClassVar[int]
    KEEP_BEST_FIELD_NUMBER: _ClassVar[int]
    KEEP_LAST_FIELD_NUMBER: _ClassVar[int]
    every_minutes: float
    every_steps: int
    keep_best: bool
    keep_last: int
    def __init__(self, every_steps: _Optional[int] = ..., every_minutes: _Optional[float] = ..., keep_last: _Optional[int] = ..., keep_best: bool = ...) -> None: ...

class DataSpec(_message.Message):
    __slots__ = ["chat_template", "format", "label_field", "packing", "shuffle", "test_files", "text_field", "text_pair_field", "train_files", "train_on_prompt", "validation_files"]
    CHAT_TEMPLATE_FIELD_NUMBER: _ClassVar[int]
    FORMAT_FIELD_NUMBER: _ClassVar[int]
    LABEL_FIELD_FIELD_NUMBER: _ClassVar[int]
    PACKING_FIELD_NUMBER: _ClassVar[int]
    SHUFFLE_FIELD_NUMBER: _ClassVar[int]
    TEST_FILES_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_FIELD_NUMBER: _ClassVar[int]
    TEXT_PAIR_FIELD_FIELD_NUMBER: _ClassVar[int]
    TRAIN_FILES_FIELD_NUMBER: _ClassVar[int]
    TRAIN_ON_PROMPT_FIELD_NUMBER: _ClassVar[int]
    VALIDATION_FILES_FIELD_NUMBER: _ClassVar[int]
    chat_template: str
    format: DataFormat
    label_field: str
    packing: bool
    shuffle: bool
    test_files: _containers.RepeatedScalarFieldContainer[str]
    text_field: str
    text_pair_field: str
    train_files: _containers.RepeatedScalarFieldContainer[str]
    train_on_prompt: bool
    validation_files: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, train_files: _Optional[_Iterable[str]] = ..., validation_files: _Optional[_Iterable[str]] = ..., test_files: _Optional[_Iterable[str]] = ..., format: _Optional[_Union[DataFormat, str]] = ..., shuffle: bool = ..., text_field: _Optional[str] = ..., chat_template: _Optional[str] = ..., train_on_prompt: bool = ..., packing: bool = ..., label_field: _Optional[str] = ..., text_pair_field: _Optional[str] = ...) -> None: ...

class EvaluationSpec(_message.Message):
    __slots__ = ["early_stopping_patience", "early_stopping_threshold", "eval_steps", "max_eval_batches", "per_device_eval_batch_size"]
    EARLY_STOPPING_PATIENCE_FIELD_NUMBER: _ClassVar[int]
    EARLY_STOPPING_THRESHOLD_FIELD_NUMBER: _ClassVar[int]
    EVAL_STEPS_FIELD_NUMBER: _ClassVar[int]
    MAX_EVAL_BATCHES_FIELD_NUMBER: _ClassVar[int]
    PER_DEVICE_EVAL_BATCH_SIZE_FIELD_NUMBER: _ClassVar[int]
    early_stopping_patience: int
    early_stopping_threshold: float
    eval_steps: int
    max_eval_batches: int
    per_device_eval_batch_size: int
    def __init__(self, eval_steps: _Optional[int] = ..., per_device_eval_batch_size: _Optional[int] = ..., max_eval_batches: _Optional[int] = ..., early_stopping_patience: _Optional[int] = ..., early_stopping_threshold: _Optional[float] = ...) -> None: ...

class GridAxis(_message.Message):
    __slots__ = ["field", "values"]
    FIELD_FIELD_NUMBER: _ClassVar[int]
    VALUES_FIELD_NUMBER: _ClassVar[int]
    field: str
    values: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, field: _Optional[str] = ..., values: _Optional[_Iterable[str]] = ...) -> None: ...

class JobSpec(_message.Message):
    __slots__ = ["checkpoint", "data", "evaluation", "lora", "model", "name", "output", "partition", "priority", "project", "train"]
    CHECKPOINT_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    EVALUATION_FIELD_NUMBER: _ClassVar[int]
    LORA_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_FIELD_NUMBER: _ClassVar[int]
    PARTITION_FIELD_NUMBER: _ClassVar[int]
    PRIORITY_FIELD_NUMBER: _ClassVar[int]
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    TRAIN_FIELD_NUMBER: _ClassVar[int]
    checkpoint: CheckpointSpec
    data: DataSpec
    evaluation: EvaluationSpec
    lora: LoraSpec
    model: ModelSpec
    name: str
    output: OutputSpec
    partition: PartitionSpec
    priority: int
    project: str
    train: TrainSpec
    def __init__(self, name: _Optional[str] = ..., model: _Optional[_Union[ModelSpec, _Mapping]] = ..., data: _Optional[_Union[DataSpec, _Mapping]] = ..., train: _Optional[_Union[TrainSpec, _Mapping]] = ..., evaluation: _Optional[_Union[EvaluationSpec, _Mapping]] = ..., output: _Optional[_Union[OutputSpec, _Mapping]] = ..., partition: _Optional[_Union[PartitionSpec, _Mapping]] = ..., checkpoint: _Optional[_Union[CheckpointSpec, _Mapping]] = ..., lora: _Optional[_Union[LoraSpec, _Mapping]] = ..., project: _Optional[str] = ..., priority: _Optional[int] = ...) -> None: ...

class LoraSpec(_message.Message):
    __slots__ = ["lora_alpha", "lora_dropout", "r", "target_modules", "use_rslora"]
    LORA_ALPHA_FIELD_NUMBER: _ClassVar[int]
    LORA_DROPOUT_FIELD_NUMBER: _ClassVar[int]
    R_FIELD_NUMBER: _ClassVar[int]
    TARGET_MODULES_FIELD_NUMBER: _ClassVar[int]
    USE_RSLORA_FIELD_NUMBER: _ClassVar[int]
    lora_alpha: float
    lora_dropout: float
    r: int
    target_modules: _containers.RepeatedScalarFieldContainer[str]
    use_rslora: bool
    def __init__(self, r: _Optional[int] = ..., lora_alpha: _Optional[float] = ..., lora_dropout: _Optional[float] = ..., target_modules: _Optional[_Iterable[str]] = ..., use_rslora: bool = ...) -> None: ...

class ModelSpec(_message.Message):
    __slots__ = ["frozen", "frozen_dtype", "init", "path", "tokenizer_path", "trained_dtype"]
    FROZEN_DTYPE_FIELD_NUMBER: _ClassVar[int]
    FROZEN_FIELD_NUMBER: _ClassVar[int]
    INIT_FIELD_NUMBER: _ClassVar[int]
    PATH_FIELD_NUMBER: _ClassVar[int]
    TOKENIZER_PATH_FIELD_NUMBER: _ClassVar[int]
    TRAINED_DTYPE_FIELD_NUMBER: _ClassVar[int]
    frozen: _containers.RepeatedScalarFieldContainer[str]
    frozen_dtype: ParameterType
    init: Initialization
    path: str
    tokenizer_path: str
    trained_dtype: ParameterType
    def __init__(self, path: _Optional[str] = ..., init: _Optional[_Union[Initialization, str]] = ..., tokenizer_path: _Optional[str] = ..., frozen: _Optional[_Iterable[str]] = ..., frozen_dtype: _Optional[_Union[ParameterType, str]] = ..., trained_dtype: _Optional[_Union[ParameterType, str]] = ...) -> None: ...

class OutputSpec(_message.Message):
    __slots__ = ["merge_adapters", "output_dir", "save_model", "tensorboard"]
    MERGE_ADAPTERS_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_DIR_FIELD_NUMBER: _ClassVar[int]
    SAVE_MODEL_FIELD_NUMBER: _ClassVar[int]
    TENSORBOARD_FIELD_NUMBER: _ClassVar[int]
    merge_adapters: bool
    output_dir: str
    save_model: bool
    tensorboard: bool
    def __init__(self, output_dir: _Optional[str] = ..., save_model: bool = ..., merge_adapters: bool = ..., tensorboard: bool = ...) -> None: ...

class PartitionSpec(_message.Message):
    __slots__ = ["cut_points", "shards"]
    CUT_POINTS_FIELD_NUMBER: _ClassVar[int]
    SHARDS_FIELD_NUMBER: _ClassVar[int]
    cut_points: _containers.RepeatedScalarFieldContainer[int]
    shards: ShardChoice
    def __init__(self, cut_points: _Optional[_Iterable[int]] = ..., shards: _Optional[_Union[ShardChoice, str]] = ...) -> None: ...

class TrainSpec(_message.Message):
    __slots__ = ["adam_beta1", "adam_beta2", "adam_epsilon", "bf16", "context_length", "dropout", "fp16", "gradient_accumulation_steps", "label_smoothing_factor", "learning_rate", "loss_scale", "loss_scale_growth_interval", "lr_scheduler_type", "max_grad_norm", "max_nonfinite_steps", "max_steps", "micro_batches_per_round", "min_learning_rate", "mlm_probability", "momentum", "no_decay_biases_and_norms", "num_train_epochs", "optim", "per_device_train_batch_size", "seed", "update_on", "warmup_ratio", "warmup_steps", "weight_decay"]
    ADAM_BETA1_FIELD_NUMBER: _ClassVar[int]
    ADAM_BETA2_FIELD_NUMBER: _ClassVar[int]
    ADAM_EPSILON_FIELD_NUMBER: _ClassVar[int]
    BF16_FIELD_NUMBER: _ClassVar[int]
    CONTEXT_LENGTH_FIELD_NUMBER: _ClassVar[int]
    DROPOUT_FIELD_NUMBER: _ClassVar[int]
    FP16_FIELD_NUMBER: _ClassVar[int]
    GRADIENT_ACCUMULATION_STEPS_FIELD_NUMBER: _ClassVar[int]
    LABEL_SMOOTHING_FACTOR_FIELD_NUMBER: _ClassVar[int]
    LEARNING_RATE_FIELD_NUMBER: _ClassVar[int]
    LOSS_SCALE_FIELD_NUMBER: _ClassVar[int]
    LOSS_SCALE_GROWTH_INTERVAL_FIELD_NUMBER: _ClassVar[int]
    LR_SCHEDULER_TYPE_FIELD_NUMBER: _ClassVar[int]
    MAX_GRAD_NORM_FIELD_NUMBER: _ClassVar[int]
    MAX_NONFINITE_STEPS_FIELD_NUMBER: _ClassVar[int]
    MAX_STEPS_FIELD_NUMBER: _ClassVar[int]
    MICRO_BATCHES_PER_ROUND_FIELD_NUMBER: _ClassVar[int]
    MIN_LEARNING_RATE_FIELD_NUMBER: _ClassVar[int]
    MLM_PROBABILITY_FIELD_NUMBER: _ClassVar[int]
    MOMENTUM_FIELD_NUMBER: _ClassVar[int]
    NO_DECAY_BIASES_AND_NORMS_FIELD_NUMBER: _ClassVar[int]
    NUM_TRAIN_EPOCHS_FIELD_NUMBER: _ClassVar[int]
    OPTIM_FIELD_NUMBER: _ClassVar[int]
    PER_DEVICE_TRAIN_BATCH_SIZE_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    UPDATE_ON_FIELD_NUMBER: _ClassVar[int]
    WARMUP_RATIO_FIELD_NUMBER: _ClassVar[int]
    WARMUP_STEPS_FIELD_NUMBER: _ClassVar[int]
    WEIGHT_DECAY_FIELD_NUMBER: _ClassVar[int]
    adam_beta1: float
    adam_beta2: float
    adam_epsilon: float
    bf16: bool
    context_length: int
    dropout: float
    fp16: bool
    gradient_accumulation_steps: int
    label_smoothing_factor: float
    learning_rate: float
    loss_scale: float
    loss_scale_growth_interval: int
    lr_scheduler_type: LrSchedulerType
    max_grad_norm: float
    max_nonfinite_steps: int
    max_steps: int
    micro_batches_per_round: int
    min_learning_rate: float
    mlm_probability: float
    momentum: float
    no_decay_biases_and_norms: bool
    num_train_epochs: float
    optim: Optimizer
    per_device_train_batch_size: int
    seed: int
    update_on: UpdatePlace
    warmup_ratio: float
    warmup_steps: int
    weight_decay: float
    def __init__(self, max_steps: _Optional[int] = ..., num_train_epochs: _Optional[float] = ..., per_device_train_batch_size: _Optional[int] = ..., gradient_accumulation_steps: _Optional[int] = ..., context_length: _Optional[int] = ..., optim: _Optional[_Union[Optimizer, str]] = ..., learning_rate: _Optional[float] = ..., weight_decay: _Optional[float] = ..., adam_beta1: _Optional[float] = ..., adam_beta2: _Optional[float] = ..., adam_epsilon: _Optional[float] = ..., momentum: _Optional[float] = ..., seed: _Optional[int] = ..., dropout: _Optional[float] = ..., max_nonfinite_steps: _Optional[int] = ..., update_on: _Optional[_Union[UpdatePlace, str]] = ..., max_grad_norm: _Optional[float] = ..., micro_batches_per_round: _Optional[int] = ..., lr_scheduler_type: _Optional[_Union[LrSchedulerType, str]] = ..., warmup_steps: _Optional[int] = ..., warmup_ratio: _Optional[float] = ..., min_learning_rate: _Optional[float] = ..., no_decay_biases_and_norms: bool = ..., label_smoothing_factor: _Optional[float] = ..., bf16: bool = ..., mlm_probability: _Optional[float] = ..., fp16: bool = ..., loss_scale: _Optional[float] = ..., loss_scale_growth_interval: _Optional[int] = ...) -> None: ...

class ParameterType(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = []

class Initialization(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = []

class DataFormat(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = []

class LrSchedulerType(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = []

class UpdatePlace(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = []

class Optimizer(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = []

class ShardChoice(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = []
