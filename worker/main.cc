// hydra-worker: drives one device for hydrad, which starts it.

#include <unistd.h>

#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "ATen/Parallel.h"
#include "CLI/CLI.hpp"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/time/time.h"
#include "common/device/device_name.h"
#include "common/file/file_user.h"
#include "common/file/private_places.h"
#include "common/file/socket_path.h"
#include "common/pool/instance_id.h"
#include "common/pool/pool_file.h"
#include "common/process/process_start.h"
#include "common/status/proto_time.h"
#include "glog/logging.h"
#include "worker/device/cpu/cpu_device.h"
#include "worker/device/cpu/link_model.h"
#include "worker/device/cpu/linked_device.h"
#include "worker/device/cuda/open_cuda_device.h"
#include "worker/device/gpu_meter.h"
#include "worker/device/gpu_status.h"
#include "worker/exec/host_task.h"
#include "worker/exec/log_sink.h"
#include "worker/exec/task_runner.h"
#include "worker/model/architectures.h"
#include "worker/model/compute_threads.h"
#include "worker/model/product_order.h"
#include "worker/session/attach_client.h"
#include "worker/session/log_buffer.h"
#include "worker/session/process_log.h"
#include "worker/session/session_log.h"
#include "worker/task/task_control.h"

namespace hydra {
namespace {

// What the daemon sees of this process's end. 0: it asked for it.
enum ExitCode {
  kExitUsage = 2,
  // The pool, the device or the log cannot be had.
  kExitSetUp = 3,
  // The daemon does not want this worker.
  kExitRefused = 4,
  // No daemon answered for as long as the patience lasts.
  kExitDaemonGone = 5,
};

constexpr char kSessionVariable[] = "HYDRA_WORKER_SESSION";

struct Flags {
  std::string daemon;
  std::string device = "cpu:0";
  int64_t memory_limit_bytes = 0;
  int threads = 1;
  std::string link;
  std::string pool_path;
  std::string pool_instance;
  std::string log_dir;
  std::vector<std::string> private_places;
  std::string private_but_linkable;
  std::string file_broker;
  std::string control_latency_file;
  bool allow_exported_chains = false;
  double patience_seconds = 60;
};

// One task's lines.
class TaskLog : public LogSink {
 public:
  TaskLog(SessionLog* log, const worker::v1::Task& task)
      : log_(log),
        context_{JobId(task.job_id()), task.step(), TaskId(task.task_id())} {}

  void Log(Severity severity, std::string text) override {
    log_->Log(Translate(severity), context_, text);
  }

 private:
  static LogSeverity Translate(Severity severity) {
    switch (severity) {
      case Severity::kInfo:
        return LogSeverity::kInfo;
      case Severity::kWarning:
        return LogSeverity::kWarning;
      case Severity::kError:
        return LogSeverity::kError;
    }
    return LogSeverity::kError;
  }

  SessionLog* const log_;
  const LogContext context_;
};

int Complain(int code, const absl::Status& why) {
  std::fprintf(stderr, "hydra-worker: %s\n", why.ToString().c_str());
  return code;
}

int ExitCodeOf(const absl::Status& end) {
  if (end.ok()) return 0;
  return Complain(
      absl::IsPermissionDenied(end) ? kExitRefused : kExitDaemonGone, end);
}

// Taken out of the environment, so that no child inherits it.
absl::StatusOr<std::string> TakeSession() {
  const char* const value = std::getenv(kSessionVariable);
  if (value == nullptr || *value == '\0') {
    return absl::InvalidArgumentError(
        absl::StrCat("the environment has no ", kSessionVariable,
                     "; hydrad starts this program"));
  }
  std::string session = value;
  unsetenv(kSessionVariable);
  return session;
}

void SetUpThreads(const Flags& flags) {
  SetUpComputeThreads(flags.threads);
  at::set_num_interop_threads(1);
}

struct OpenedDevice {
  std::unique_ptr<Device> device;
  // Null: nobody tells of it.
  std::unique_ptr<GpuMeter> meter;
};

// A GPU computes without what its driver says of it.
std::unique_ptr<GpuMeter> MeterOf(const OpenGpu& gpu) {
  auto meter = GpuMeter::OfDriver(gpu.pci_bus_id);
  if (meter.ok()) return *std::move(meter);
  LOG(WARNING) << "use, memory, power and energy of " << gpu.device->name()
               << " are not known: " << meter.status().message();
  return nullptr;
}

absl::StatusOr<OpenedDevice> OpenGpuDevice(const Flags& flags,
                                           const PoolFile& pool) {
  if (!flags.link.empty()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "--link is for cpu:N: ", flags.device, " has a link of its own"));
  }
  auto gpu = OpenCudaDevice(
      flags.device, flags.memory_limit_bytes,
      pool.Range(pool.data_offset(), pool.size_bytes() - pool.data_offset()));
  if (!gpu.ok()) return gpu.status();
  // LibTorch learns of CUDA before it is used.
  SetUpThreads(flags);
  std::unique_ptr<GpuMeter> meter = MeterOf(*gpu);
  return OpenedDevice{std::move(gpu->device), std::move(meter)};
}

absl::StatusOr<OpenedDevice> OpenDevice(const Flags& flags,
                                        const PoolFile& pool) {
  const auto name = DeviceName::Parse(flags.device);
  if (!name.has_value()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "--device is \"", flags.device, "\"; expected ", DeviceName::kForms));
  }
  if (name->kind == DeviceKind::kCuda) return OpenGpuDevice(flags, pool);
  SetUpThreads(flags);
  auto device = CpuDevice::Create(static_cast<int>(name->number),
                                  flags.memory_limit_bytes);
  if (!device.ok()) return device.status();
  if (flags.link.empty()) return OpenedDevice{*std::move(device), nullptr};
  const absl::StatusOr<LinkModel> link = ParseLink(flags.link);
  if (!link.ok()) return link.status();
  return OpenedDevice{std::make_unique<LinkedDevice>(*std::move(device), *link),
                      nullptr};
}

absl::StatusOr<std::unique_ptr<PoolFile>> OpenPool(const Flags& flags) {
  const absl::StatusOr<InstanceId> instance =
      InstanceId::FromHex(flags.pool_instance);
  if (!instance.ok()) return instance.status();
  return PoolFile::Open(flags.pool_path, *instance);
}

AttachClient::Options ClientOptions(const Flags& flags,
                                    const SocketPath& socket,
                                    std::string session,
                                    const OpenedDevice& opened,
                                    const TaskRunner& runner) {
  Device* const device = opened.device.get();
  AttachClient::Options options;
  options.daemon = "unix:" + socket.text();
  options.session = std::move(session);
  options.patience = absl::Seconds(flags.patience_seconds);
  options.device_status = [device, meter = opened.meter.get()] {
    worker::v1::DeviceStatus status;
    status.set_peak_bytes(device->arena().highest_bytes());
    status.set_outside_bytes(device->OutsideBytes());
    if (meter != nullptr) *status.mutable_gpu() = GpuStatusOf(*meter);
    return status;
  };
  options.fill_status = [device, &runner](worker::v1::DeviceStatus& to) {
    for (VersionId version : runner.CachedVersions()) {
      to.add_cached_versions(version.value());
    }
    *to.mutable_copy_wait() = ToProto(runner.copy_wait());
    if (const auto time = device->CopyTime(CopyLane::kPromote)) {
      *to.mutable_promote() = ToProto(*time);
    }
    if (const auto time = device->CopyTime(CopyLane::kDemote)) {
      *to.mutable_demote() = ToProto(*time);
    }
  };
  // What a task computes for a lost session is of no use to anyone.
  options.on_lost = [](const absl::Status& why) { _exit(ExitCodeOf(why)); };
  return options;
}

// A device that fails here leaves nobody to know what is in the pool, and later
// tasks have begun with it already. The daemon starts another worker.
void FinishOrDie(const Device& device,
                 const std::function<void(worker::v1::TaskReport&)>& finish,
                 worker::v1::TaskReport& report) {
  try {
    finish(report);
  } catch (const std::exception& error) {
    LOG(FATAL) << device.name() << " failed: " << error.what();
  }
}

absl::Status RunTasks(AttachClient& client, const OpenedDevice& opened,
                      TaskRunner& runner, SessionLog* log) {
  Device* const device = opened.device.get();
  const auto find_next = [&client](int index) {
    std::optional<TaskRunner::NextTask> next;
    if (auto held = client.NextDeviceTask(index)) {
      next = {std::move(held->task), std::move(held->job)};
    }
    return next;
  };
  return client.Run([&](const worker::v1::Task& task,
                        const worker::v1::JobContext& job,
                        TaskControl& control) -> AttachClient::Outcome {
    const auto task_log = std::make_shared<TaskLog>(log, task);
    if (IsHostTask(task)) return RunHostTask(task, job, *task_log, control);
    const TaskEnergy energy(opened.meter.get());
    TaskRunner::Computed computed =
        runner.Compute(task, job, *task_log, control, find_next);
    energy.Read(*computed.report.mutable_cost());
    if (!computed.finish) return std::move(computed.report);
    return {std::move(computed.report),
            [device, task_log, finish = std::move(computed.finish)](
                worker::v1::TaskReport& report) {
              FinishOrDie(*device, finish, report);
            }};
  });
}

int Work(const Flags& flags) {
  FixProductOrder();
  OpenStandardStreams();
  // Whoever reads stdout may die with the daemon, which this process outlives.
  MakeWriteSignalsErrors();
  absl::StatusOr<std::string> session = TakeSession();
  if (!session.ok()) return Complain(kExitUsage, session.status());
  const absl::Status logging = StartProcessLog("hydra-worker", flags.log_dir);
  if (!logging.ok()) return Complain(kExitSetUp, logging);
  // Whoever stops the daemon, by Ctrl-C say, may tell its workers too. It still
  // needs them to end their begun tasks, and says itself when to end; without a
  // daemon the patience does. After StartProcessLog, which takes SIGTERM.
  std::signal(SIGTERM, SIG_IGN);
  std::signal(SIGINT, SIG_IGN);
  std::signal(SIGHUP, SIG_IGN);
  SetPrivatePlaces(flags.private_places, flags.private_but_linkable);
  SetFileBroker(flags.file_broker);
  const absl::StatusOr<std::unique_ptr<PoolFile>> pool = OpenPool(flags);
  if (!pool.ok()) return Complain(kExitSetUp, pool.status());
  const absl::StatusOr<SocketPath> socket =
      SocketPath::Of(std::string(absl::StripPrefix(flags.daemon, "unix:")));
  if (!socket.ok()) return Complain(kExitSetUp, socket.status());
  const absl::StatusOr<OpenedDevice> opened = OpenDevice(flags, **pool);
  if (!opened.ok()) return Complain(kExitSetUp, opened.status());

  LogBuffer buffer({});
  SessionLog log(&buffer);
  Architectures architectures;
  architectures.runs_exported_chains = flags.allow_exported_chains;
  TaskRunner runner(
      opened->device.get(),
      [&pool](int64_t offset, int64_t bytes) {
        return (*pool)->Range(offset, bytes);
      },
      architectures);
  AttachClient client(
      ClientOptions(flags, *socket, *std::move(session), *opened, runner),
      &buffer);
  const absl::Status end = RunTasks(client, *opened, runner, &log);
  if (!flags.control_latency_file.empty()) {
    const absl::Status written =
        client.control_latency().WriteTo(flags.control_latency_file);
    if (!written.ok()) return Complain(kExitSetUp, written);
  }
  return ExitCodeOf(end);
}

int Main(int argc, char** argv) {
  Flags flags;
  CLI::App app(
      "Drives one device for hydrad, which starts it. The daemon's secret "
      "comes in the environment, as HYDRA_WORKER_SESSION.",
      "hydra-worker");
  app.add_option("--daemon", flags.daemon, "unix:/path of the daemon's socket")
      ->required();
  app.add_option("--device", flags.device, std::string(DeviceName::kForms))
      ->capture_default_str();
  app.add_option("--memory-limit-bytes", flags.memory_limit_bytes,
                 "all of the device's memory; a multiple of 64, of 512 for a "
                 "GPU")
      ->required()
      ->check(CLI::PositiveNumber);
  app.add_option("--threads", flags.threads, "threads of one operation")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--link", flags.link,
                 "what copies go over, as TO_DEVICE,TO_HOST bytes a second, "
                 "and \",shared\" for one bus; without it, memory's speed");
  app.add_option("--pool-path", flags.pool_path, "the pool file")->required();
  app.add_option("--pool-instance", flags.pool_instance,
                 "the pool's instance id, 32 hexadecimal digits")
      ->required();
  app.add_option("--log-dir", flags.log_dir,
                 "an existing folder for the log file; without it, stderr");
  app.add_option("--private", flags.private_places,
                 "what no job may read; may be repeated")
      ->allow_extra_args(false);
  app.add_option("--private-but-linkable", flags.private_but_linkable,
                 "of that, the folder whose files may be read by other names");
  app.add_option("--file-broker", flags.file_broker,
                 "where hydra-files listens, if jobs' files are their users'");
  app.add_flag("--allow-exported-chains", flags.allow_exported_chains,
               "run the code that models have for their layers");
  app.add_option("--control-latency-file", flags.control_latency_file,
                 "where to write, at the end, how long answers took");
  app.add_option("--patience-seconds", flags.patience_seconds,
                 "how long to wait for a daemon after the stream to it broke")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : kExitUsage;
  }
  return Work(flags);
}

}  // namespace
}  // namespace hydra

int main(int argc, char** argv) { return hydra::Main(argc, argv); }
