#include "client/render/trace_json.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/status/proto_time.h"
#include "nlohmann/json.hpp"

namespace hydra {
namespace {

using nlohmann::ordered_json;

// The lanes of a process, from above; the first is for all of it.
constexpr int kWhole = 0;
constexpr int kTasks = 1;
constexpr int kCopies = 2;
constexpr int kWaits = 3;
constexpr int kPreparation = 4;
constexpr int kDecisions = 5;
// What is about no device.
constexpr int kServerProcess = 1;

// Names of chrome://tracing; Perfetto takes a colour of its own.
const char* ColorOf(const std::string& job) {
  constexpr std::array<const char*, 8> kColors = {
      "thread_state_running",  "rail_response",
      "rail_animation",        "rail_load",
      "cq_build_running",      "detailed_memory_dump",
      "vsync_highlight_color", "generic_work"};
  size_t sum = 0;
  for (char c : job) sum = 10 * sum + static_cast<unsigned char>(c);
  return kColors[sum % kColors.size()];
}

std::string Range(int first, int last) {
  return absl::StrCat("[", first, ", ", last, ")");
}

double Milliseconds(const google::protobuf::Duration& duration) {
  return absl::ToDoubleMilliseconds(FromProto(duration));
}

std::string NameOf(const v1::TracedTask& task) {
  if (task.job_id().empty()) return "another user's task";
  std::string name = absl::StrCat(task.job_id(), " ", task.kind());
  if (task.kind() == "PREPARE" || task.kind() == "PILOT") return name;
  absl::StrAppend(&name, " shard ", task.shard());
  if (task.kind() != "INIT" && !task.withheld())
    absl::StrAppend(&name, " step ", task.step());
  return name;
}

const char* NameOf(v1::TaskOutcome outcome) {
  switch (outcome) {
    case v1::TASK_OUTCOME_COMMITTED:
      return "committed";
    case v1::TASK_OUTCOME_FAILED:
      return "failed";
    case v1::TASK_OUTCOME_DISCARDED:
      return "discarded";
    default:
      return "unknown";
  }
}

const char* NameOf(v1::DeviceWaitKind kind) {
  switch (kind) {
    case v1::DEVICE_WAIT_KIND_IDLE:
      return "idle";
    case v1::DEVICE_WAIT_KIND_DAEMON:
      return "waits for hydrad";
    case v1::DEVICE_WAIT_KIND_WORKER:
      return "changes tasks";
    default:
      return "waits";
  }
}

const char* NameOf(v1::DecisionKind kind) {
  switch (kind) {
    case v1::DECISION_KIND_ADMITTED:
      return "admitted";
    case v1::DECISION_KIND_WITHDRAWN:
      return "withdrawn";
    case v1::DECISION_KIND_CHECKPOINT_BEGUN:
      return "checkpoint begun";
    case v1::DECISION_KIND_CHECKPOINT_WRITTEN:
      return "checkpoint written";
    case v1::DECISION_KIND_WORKER_DIED:
      return "worker died";
    default:
      return "decision";
  }
}

ordered_json ArgumentsOf(const v1::TracedTask& task, std::string title) {
  if (task.withheld()) return {{"job", "another user's"}};
  ordered_json arguments = {
      {"job", std::move(title)},
      {"kind", task.kind()},
      {"outcome", NameOf(task.outcome())},
      {"step", task.step()},
      {"shard", task.shard()},
      {"layers", Range(task.first_layer(), task.last_layer())},
      {"micro_batches",
       Range(task.first_micro_batch(), task.last_micro_batch())},
      {"compute_ms", Milliseconds(task.compute())},
      {"copy_ms", Milliseconds(task.copy())},
      {"promoted_bytes", task.promoted_bytes()},
      {"demoted_bytes", task.demoted_bytes()},
      {"cached_bytes", task.cached_bytes()},
      {"peak_bytes", task.peak_bytes()}};
  if (!task.split().empty()) arguments["split"] = task.split();
  return arguments;
}

}  // namespace

// One event of the format, by its phase: "X" a slice, "i" an instant, "C" a
// counter, "M" a name.
class TraceJson::Event {
 public:
  Event(const char* phase, std::string name, int process, int lane)
      : fields_({{"ph", phase},
                 {"name", std::move(name)},
                 {"pid", process},
                 // Another one in each process: viewers take it for the
                 // machine's own.
                 {"tid", 10 * process + lane}}) {}

  Event& Set(const char* key, ordered_json value) {
    fields_[key] = std::move(value);
    return *this;
  }
  const ordered_json& fields() const { return fields_; }

 private:
  ordered_json fields_;
};

void TraceJson::BeginOnce() {
  if (std::exchange(begun_, true)) return;
  out_ << "{\"displayTimeUnit\": \"ms\", \"traceEvents\": [";
}

void TraceJson::Write(const Event& event) {
  BeginOnce();
  // Names of files and jobs may be no UTF-8.
  out_ << (std::exchange(wrote_any_, true) ? ",\n" : "\n")
       << event.fields().dump(-1, ' ', false,
                              ordered_json::error_handler_t::replace);
}

void TraceJson::Finish() {
  BeginOnce();
  out_ << "\n]}\n";
}

void TraceJson::Add(const v1::TraceResponse& message) {
  if (!message.devices().empty()) AddHead(message);
  for (const v1::TracedTask& task : message.tasks()) AddTask(task);
  for (const v1::TracedDecision& decision : message.decisions()) {
    AddDecision(decision);
  }
}

void TraceJson::AddHead(const v1::TraceResponse& head) {
  if (head.has_begin()) begin_ = FromProto(head.begin());
  for (const v1::JobStatus& job : head.jobs()) {
    job_names_[job.job_id()] = job.name();
  }
  NameProcess(kServerProcess, "hydrad");
  NameLane(kServerProcess, kDecisions, "decisions");
  int process = kServerProcess;
  for (const std::string& name : head.devices()) {
    devices_[name].process = ++process;
    NameProcess(process, name);
    NameLane(process, kTasks, "tasks");
    NameLane(process, kCopies, "copies, in sum");
    NameLane(process, kWaits, "waits");
    NameLane(process, kPreparation, "preparation");
    NameLane(process, kDecisions, "decisions");
  }
}

void TraceJson::NameProcess(int process, const std::string& name) {
  Write(Event("M", "process_name", process, kWhole)
            .Set("args", {{"name", name}}));
  Write(Event("M", "process_sort_index", process, kWhole)
            .Set("args", {{"sort_index", process}}));
}

void TraceJson::NameLane(int process, int lane, const std::string& name) {
  Write(Event("M", "thread_name", process, lane).Set("args", {{"name", name}}));
  Write(Event("M", "thread_sort_index", process, lane)
            .Set("args", {{"sort_index", lane}}));
}

std::string TraceJson::Title(const std::string& job) const {
  const auto name = job_names_.find(job);
  return name == job_names_.end() ? job : absl::StrCat(job, " ", name->second);
}

double TraceJson::Microseconds(absl::Time time) const {
  // The first tasks were handed out a moment before: viewers want no time below
  // zero.
  return absl::ToDoubleMicroseconds(
      std::max(absl::ZeroDuration(), time - begin_));
}

void TraceJson::AddTask(const v1::TracedTask& task) {
  const auto found = devices_.find(task.device());
  if (found == devices_.end()) return;
  Device& device = found->second;
  const bool is_own = job_names_.count(task.job_id()) > 0;
  if (is_own) ++tasks_;
  const absl::Time begun = FromProto(task.begun());
  const absl::Duration wall = FromProto(task.ended()) - begun;
  Write(Event("X", NameOf(task), device.process,
              task.kind() == "PREPARE" ? kPreparation : kTasks)
            .Set("cat", is_own ? "task" : "task of another job")
            .Set("ts", Microseconds(begun))
            .Set("dur", absl::ToDoubleMicroseconds(wall))
            .Set("cname", is_own ? ColorOf(task.job_id()) : "grey")
            .Set("args", ArgumentsOf(task, Title(task.job_id()))));
  const absl::Duration copy = FromProto(task.copy());
  if (copy > absl::ZeroDuration()) {
    Write(Event("X", "copies", device.process, kCopies)
              .Set("cat", "copy")
              .Set("ts", Microseconds(begun))
              .Set("dur", absl::ToDoubleMicroseconds(copy))
              .Set("args", {{"task", NameOf(task)}}));
  }
  AddWaits(device, task);
  AddBytes(task, device);
  if (!task.has_handed_out()) return;
  Write(Event("i", "hands out " + NameOf(task), device.process, kDecisions)
            .Set("cat", "decision")
            .Set("s", "t")
            .Set("ts", Microseconds(FromProto(task.handed_out()))));
}

void TraceJson::AddWaits(const Device& device, const v1::TracedTask& task) {
  for (const v1::DeviceWait& wait : task.waits()) {
    const absl::Time begin = FromProto(wait.begin());
    const absl::Duration length = FromProto(wait.end()) - begin;
    Write(Event("X", NameOf(wait.kind()), device.process, kWaits)
              .Set("cat", "wait")
              .Set("ts", Microseconds(begin))
              .Set("dur", absl::ToDoubleMicroseconds(length))
              .Set("args", {{"next", NameOf(task)}}));
  }
}

void TraceJson::AddBytes(const v1::TracedTask& task, Device& device) {
  device.promoted_bytes += task.promoted_bytes();
  device.demoted_bytes += task.demoted_bytes();
  device.cached_bytes += task.cached_bytes();
  Write(Event("C", "bytes up to now", device.process, kWhole)
            .Set("ts", Microseconds(FromProto(task.ended())))
            .Set("args", {{"promoted", device.promoted_bytes},
                          {"demoted", device.demoted_bytes},
                          {"cached", device.cached_bytes}}));
}

void TraceJson::AddDecision(const v1::TracedDecision& decision) {
  const auto device = devices_.find(decision.device());
  const int process =
      device == devices_.end() ? kServerProcess : device->second.process;
  Write(
      Event("i", absl::StrCat(decision.job_id(), " ", NameOf(decision.kind())),
            process, kDecisions)
          .Set("cat", "decision")
          .Set("s", "t")
          .Set("ts", Microseconds(FromProto(decision.time())))
          .Set("args",
               {{"job", Title(decision.job_id())}, {"step", decision.step()}}));
}

}  // namespace hydra
