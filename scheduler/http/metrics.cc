#include "scheduler/http/metrics.h"

#include <map>
#include <optional>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "common/status/proto_time.h"
#include "scheduler/http/metrics_text.h"

namespace hydra {
namespace {

constexpr char kOtherUsers[] = "other";

std::string LabelOf(const Caller& caller) {
  return caller == Caller() ? "unknown" : absl::StrCat(caller.user);
}

// "running"
std::string StateLabel(v1::JobState state) {
  return absl::AsciiStrToLower(
      v1::JobState_Name(state).substr(sizeof("JOB_STATE")));
}

std::string OutcomeLabel(v1::TaskOutcome outcome) {
  return absl::AsciiStrToLower(
      v1::TaskOutcome_Name(outcome).substr(sizeof("TASK_OUTCOME")));
}

class Writer {
 public:
  explicit Writer(const MetricsNumbers& numbers) : numbers_(numbers) {}

  std::string Write() {
    WriteServer();
    WriteJobs();
    WriteDevices();
    WriteWorkers();
    WriteGpus();
    WriteProcess();
    return std::move(text_).Take();
  }

 private:
  using Status = v1::WorkerStatus;

  std::string DeviceLabel(WorkerId worker) const {
    const uint64_t number = worker.value();
    return number == 0 || number > numbers_.workers->size()
               ? ""
               : (*numbers_.workers)[number - 1].device();
  }

  std::string UserLabel(const DaemonMeter::User& user) const {
    return user.other || numbers_.hides_users ? kOtherUsers
                                              : LabelOf(user.caller);
  }

  // A sample for each device of which `value` knows something.
  template <typename Value>
  void ForEachDevice(Value value) {
    for (const Status& worker : *numbers_.workers) {
      const auto known = value(worker);
      if (known.has_value())
        text_.Sample({{"device", worker.device()}}, *known);
    }
  }

  void WriteServer() {
    text_.Gauge("hydra_build_info", "1, with the version of hydrad.");
    text_.Sample({{"version", numbers_.server.version()}}, int64_t{1});
    text_.Gauge("hydra_pool_bytes",
                "The pool of host memory: its size, what blocks take, and what "
                "is promised to admitted jobs.");
    text_.Sample({{"kind", "size"}}, int64_t{numbers_.server.pool_bytes()});
    text_.Sample({{"kind", "used"}},
                 int64_t{numbers_.server.pool_used_bytes()});
    text_.Sample({{"kind", "reserved"}},
                 int64_t{numbers_.server.pool_reserved_bytes()});
    text_.Gauge("hydra_journal_writes",
                "1 if what was last written to the journal is in it, 0 while "
                "its disk refuses.");
    text_.Sample({{"journal", "jobs"}},
                 int64_t{numbers_.jobs_journal_writes ? 1 : 0});
    text_.Sample({{"journal", "pool"}},
                 int64_t{numbers_.pool_journal_writes ? 1 : 0});
    text_.WholeHistogram(
        "hydra_decision_seconds",
        "Time from the first event of a turn to what was decided.",
        numbers_.daemon.decisions);
  }

  void WriteJobs() {
    // Of too many users the last ones together.
    std::map<std::pair<std::string, std::string>, int64_t> jobs;
    std::map<Caller, std::string> labels;
    for (const auto& [key, count] : numbers_.jobs.jobs()) {
      const auto& [owner, state] = key;
      if (labels.size() < DaemonMeter::kMostUsers && !numbers_.hides_users) {
        labels.emplace(owner, LabelOf(owner));
      }
      const auto label = labels.find(owner);
      jobs[{label == labels.end() ? kOtherUsers : label->second,
            StateLabel(state)}] += count;
    }
    text_.Gauge("hydra_jobs",
                "Jobs that lists show, by who submitted them and state.");
    for (const auto& [key, count] : jobs) {
      text_.Sample({{"user", key.first}, {"state", key.second}}, count);
    }
    text_.Counter("hydra_steps_total",
                  "Steps that jobs went on by, again after they went back.");
    text_.Sample({}, numbers_.jobs.steps());
    text_.Counter("hydra_tokens_total",
                  "Tokens of these steps; an example without tokens is one.");
    text_.Sample({}, numbers_.jobs.tokens());
    text_.WholeHistogram(
        "hydra_wait_seconds",
        "Time from a job's submission to its first task, of those that got it.",
        numbers_.jobs.waits());
  }

  void WriteDevices() {
    const DaemonMeter::Numbers& daemon = numbers_.daemon;
    text_.Counter("hydra_device_seconds_total",
                  "Wall time of tasks that ended on the device, by who "
                  "submitted their jobs.");
    std::map<std::pair<std::string, WorkerId>, absl::Duration> device_time;
    for (const auto& [key, time] : daemon.device_time) {
      device_time[{UserLabel(key.first), key.second}] += time;
    }
    for (const auto& [key, time] : device_time) {
      text_.Sample({{"user", key.first}, {"device", DeviceLabel(key.second)}},
                   absl::ToDoubleSeconds(time));
    }
    text_.Counter("hydra_copy_wait_seconds_total",
                  "The part of it that went into waiting for copies between "
                  "host and device.");
    for (const auto& [worker, time] : daemon.copy_time) {
      text_.Sample({{"device", DeviceLabel(worker)}},
                   absl::ToDoubleSeconds(time));
    }
    text_.Counter("hydra_link_bytes_total",
                  "Bytes that tasks copied between host and device; to_host "
                  "has what INIT filled in, too.");
    for (const auto& [worker, bytes] : daemon.link_bytes) {
      const std::string device = DeviceLabel(worker);
      text_.Sample({{"device", device}, {"direction", "to_device"}},
                   bytes.to_device);
      text_.Sample({{"device", device}, {"direction", "to_host"}},
                   bytes.to_host);
    }
    text_.Counter("hydra_tasks_total", "Tasks that ended, by how they did.");
    for (const auto& [key, count] : daemon.tasks) {
      text_.Sample({{"device", DeviceLabel(key.first)},
                    {"outcome", OutcomeLabel(key.second)}},
                   count);
    }
  }

  void WriteWorkers() {
    text_.Gauge("hydra_worker_up",
                "1 if the device's worker takes tasks, 0 if it does not.");
    ForEachDevice([](const Status& worker) {
      return std::optional<int64_t>(
          worker.state() == v1::WORKER_STATE_READY ? 1 : 0);
    });
    text_.Counter("hydra_worker_restarts_total",
                  "How often the device's worker ended and was started again.");
    ForEachDevice([](const Status& worker) {
      return std::optional<int64_t>(worker.restarts());
    });
    text_.Gauge("hydra_worker_held_tasks",
                "Tasks that wait in the worker's hand.");
    ForEachDevice([](const Status& worker) {
      return std::optional<int64_t>(worker.held_tasks());
    });
    text_.Gauge("hydra_device_limit_bytes",
                "Device memory that the worker may use.");
    ForEachDevice([](const Status& worker) {
      return std::optional<int64_t>(worker.memory_limit_bytes());
    });
    text_.Gauge("hydra_device_peak_bytes",
                "Most device memory in use at once, since the worker started.");
    ForEachDevice([](const Status& worker) {
      return std::optional<int64_t>(worker.peak_bytes());
    });
    text_.Gauge("hydra_lane_ratio",
                "Shares of about the last five seconds, from 0 to 1, in which "
                "the device computed and copied.");
    for (const Status& worker : *numbers_.workers) {
      const auto sample = [&](const char* lane, double share) {
        text_.Sample({{"device", worker.device()}, {"lane", lane}}, share);
      };
      if (worker.has_computing()) sample("compute", worker.computing());
      if (worker.has_promoting()) sample("to_device", worker.promoting());
      if (worker.has_demoting()) sample("to_host", worker.demoting());
    }
  }

  void WriteGpus() {
    text_.Gauge("hydra_gpu_use_ratio",
                "The part of its driver's last sample in which something ran "
                "on the card, from 0 to 1.");
    ForEachDevice([](const Status& worker) {
      return worker.gpu().has_use() ? std::optional(worker.gpu().use())
                                    : std::nullopt;
    });
    text_.Gauge("hydra_gpu_memory_used_bytes",
                "Of the card's memory, what is taken, by other programs too.");
    ForEachDevice([](const Status& worker) {
      return worker.gpu().has_memory_used_bytes()
                 ? std::optional<int64_t>(worker.gpu().memory_used_bytes())
                 : std::nullopt;
    });
    text_.Gauge("hydra_gpu_power_watts", "What the card draws.");
    ForEachDevice([](const Status& worker) {
      return worker.gpu().has_power_watts()
                 ? std::optional(worker.gpu().power_watts())
                 : std::nullopt;
    });
  }

  // With the names that Prometheus's own clients have for them.
  void WriteProcess() {
    const ProcessNumbers& process = numbers_.process;
    text_.Counter("process_cpu_seconds_total",
                  "CPU time of hydrad, in user and kernel mode.");
    text_.Sample({}, absl::ToDoubleSeconds(process.cpu));
    text_.Gauge("process_resident_memory_bytes", "Resident memory of hydrad.");
    text_.Sample({}, process.resident_bytes);
    text_.Gauge("process_virtual_memory_bytes", "Virtual memory of hydrad.");
    text_.Sample({}, process.virtual_bytes);
    text_.Gauge("process_open_fds", "Files that hydrad has open.");
    text_.Sample({}, process.open_files);
    text_.Gauge("process_max_fds", "Files that hydrad may have open.");
    text_.Sample({}, process.most_open_files);
    text_.Gauge("process_start_time_seconds",
                "When hydrad began, in seconds since 1970.");
    text_.Sample(
        {}, absl::ToUnixMicros(FromProto(numbers_.server.started_at())) / 1e6);
  }

  const MetricsNumbers& numbers_;
  MetricsText text_;
};

}  // namespace

std::string WriteMetrics(const MetricsNumbers& numbers) {
  return Writer(numbers).Write();
}

}  // namespace hydra
