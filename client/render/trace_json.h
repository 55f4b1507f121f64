#ifndef HYDRA_CLIENT_RENDER_TRACE_JSON_H_
#define HYDRA_CLIENT_RENDER_TRACE_JSON_H_

#include <cstdint>
#include <map>
#include <ostream>
#include <string>

#include "absl/time/time.h"
#include "hydra/v1/hydra.pb.h"

namespace hydra {

// Writes a trace as ui.perfetto.dev and chrome://tracing read it: Chrome's JSON
// trace event format, the object form. A device is a process, with a lane each
// for its tasks, for what of them went into copies, for what it waited for
// between them, for preparation, and for decisions. Times are microseconds from
// the trace's begin. Not thread-safe.
//
// The length of a copy's slice is the sum of the task's copies; it stands at
// the task's begin, wherever in it they were.
class TraceJson {
 public:
  // Writes to `out`, which is borrowed; nothing before the first message.
  explicit TraceJson(std::ostream* out) : out_(*out) {}

  // Takes the next message of the stream.
  void Add(const v1::TraceResponse& message);
  // Writes the end, which makes a whole file of it. Nothing else may be called
  // after it.
  void Finish();

  // Tasks of the trace's own jobs up to now.
  int64_t tasks() const { return tasks_; }

 private:
  struct Device {
    int process = 0;
    // Up to now, of all jobs.
    int64_t promoted_bytes = 0;
    int64_t demoted_bytes = 0;
    int64_t cached_bytes = 0;
  };

  void AddHead(const v1::TraceResponse& head);
  void AddTask(const v1::TracedTask& task);
  void AddWaits(const Device& device, const v1::TracedTask& task);
  void AddBytes(const v1::TracedTask& task, Device& device);
  void AddDecision(const v1::TracedDecision& decision);
  void NameProcess(int process, const std::string& name);
  void NameLane(int process, int lane, const std::string& name);
  // "j3 small", or the id alone for a job that the trace is not of.
  std::string Title(const std::string& job) const;
  double Microseconds(absl::Time time) const;

  class Event;
  void Write(const Event& event);
  void BeginOnce();

  std::ostream& out_;
  bool begun_ = false;
  bool wrote_any_ = false;
  absl::Time begin_ = absl::UnixEpoch();
  std::map<std::string, Device> devices_;
  // By id.
  std::map<std::string, std::string> job_names_;
  int64_t tasks_ = 0;
};

}  // namespace hydra

#endif  // HYDRA_CLIENT_RENDER_TRACE_JSON_H_
