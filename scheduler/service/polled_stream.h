#ifndef HYDRA_SCHEDULER_SERVICE_POLLED_STREAM_H_
#define HYDRA_SCHEDULER_SERVICE_POLLED_STREAM_H_

#include <grpcpp/alarm.h>
#include <grpcpp/grpcpp.h>

#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "common/process/thread_priority.h"
#include "common/status/rpc_status.h"
#include "scheduler/core/caller.h"
#include "scheduler/runtime/refusals.h"
#include "scheduler/runtime/work_thread.h"
#include "scheduler/service/stream_table.h"

namespace hydra {

// A stream to a client that takes no thread of its own: it has one message in
// flight, and looks for the next one when that is written, or after a while, on
// a thread that it shares with other streams. (Not on gRPC's own, which are two
// or a few more for all callbacks of the process: those of workers among them.)
// A client that never reads costs that message and no more. Derived classes say
// what comes next; the stream deletes itself at its end.
template <typename Response>
class PolledStream : public grpc::ServerWriteReactor<Response> {
 public:
  // What is asked and told on the stream's thread. May block on the disk.
  struct Hooks {
    // Before the first look: an error ends the stream.
    std::function<absl::Status()> may_begin;
    // How it ends by itself.
    std::function<void(const absl::Status&)> ends;
  };

  // Call once; then it runs by itself. Ends at once with the error of
  // StreamTable::Open. `table`, `thread` and what the hooks use must outlive
  // the server.
  void Begin(const Caller& caller, StreamTable* table, WorkThread* thread,
             Hooks hooks) {
    hooks_ = std::move(hooks);
    table_ = table;
    thread_ = thread;
    absl::StatusOr<StreamTable::Slot> slot =
        table->Open(caller, [this] { WakeUp(); });
    if (!slot.ok()) {
      this->Finish(ToGrpc(slot.status()));
      return;
    }
    slot_.emplace(*std::move(slot));
    AdvanceSoon();
  }

 protected:
  struct Step {
    enum class Kind { kSend, kWait, kEnd };
    Kind kind;
    absl::Duration wait;
    absl::Status end;
  };
  static Step Send() { return {Step::Kind::kSend, {}, {}}; }
  static Step Wait(absl::Duration wait) {
    return {Step::Kind::kWait, wait, {}};
  }
  static Step End(absl::Status status) {
    return {Step::Kind::kEnd, {}, std::move(status)};
  }

  // What to do now: send `response`, which is empty before, or look again
  // later, or end. Never called by two threads at once. May block on the disk.
  virtual Step Next(Response* response) = 0;

 private:
  void OnWriteDone(bool ok) final {
    if (ok) {
      AdvanceSoon();
    } else {
      this->Finish(grpc::Status::CANCELLED);
    }
  }

  void OnCancel() final { WakeUp(); }

  void OnDone() final {
    // Nobody wakes it any more.
    slot_.reset();
    delete this;
  }

  // It looks again now if it waits, and else does not wait any more.
  void WakeUp() {
    absl::MutexLock lock(&mu_);
    awake_ = true;
    if (alarm_is_set_) alarm_->Cancel();
  }

  void AdvanceSoon() {
    thread_->Add([this] { Advance(); });
  }

  void Advance() {
    StepBack();
    response_.Clear();
    const Step step = NextStep();
    switch (step.kind) {
      case Step::Kind::kSend:
        this->StartWrite(&response_);
        return;
      case Step::Kind::kWait:
        if (SetAlarm(step.wait)) return;
        this->Finish(table_->stopped() ? ToGrpc(Stopping())
                                       : grpc::Status::CANCELLED);
        return;
      case Step::Kind::kEnd:
        hooks_.ends(step.end);
        this->Finish(ToGrpc(step.end));
        return;
    }
  }

  Step NextStep() {
    if (table_->stopped()) return End(Stopping());
    if (!has_begun_) {
      absl::Status may = hooks_.may_begin();
      if (!may.ok()) return End(std::move(may));
      has_begun_ = true;
    }
    return Next(&response_);
  }

  // False: it has been woken up, which happens at the end alone.
  bool SetAlarm(absl::Duration wait) {
    absl::MutexLock lock(&mu_);
    if (awake_) return false;
    alarm_is_set_ = true;
    // A new one: the one before may be the caller.
    alarm_ = std::make_unique<grpc::Alarm>();
    const gpr_timespec at =
        gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC),
                     gpr_time_from_millis(absl::ToInt64Milliseconds(wait) + 1,
                                          GPR_TIMESPAN));
    alarm_->Set(at, [this](bool) {
      {
        absl::MutexLock lock(&mu_);
        alarm_is_set_ = false;
      }
      AdvanceSoon();
    });
    return true;
  }

  Hooks hooks_;
  bool has_begun_ = false;
  StreamTable* table_ = nullptr;
  WorkThread* thread_ = nullptr;
  std::optional<StreamTable::Slot> slot_;
  Response response_;
  absl::Mutex mu_;
  bool awake_ ABSL_GUARDED_BY(mu_) = false;
  bool alarm_is_set_ ABSL_GUARDED_BY(mu_) = false;
  std::unique_ptr<grpc::Alarm> alarm_ ABSL_GUARDED_BY(mu_);
};

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_SERVICE_POLLED_STREAM_H_
