#ifndef HYDRA_COMMON_FAILPOINT_FAIL_POINT_RULES_H_
#define HYDRA_COMMON_FAILPOINT_FAIL_POINT_RULES_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"

namespace hydra {

// Where a process fails on purpose, and how. Thread-safe.
//
// Written as rules with commas between them, such as
//   worker.update=kill@3:/tmp/marker,daemon.before_commit=sleep:200@1+
// that is NAME=ACTION@PASS, with a job's number perhaps, and a marker:
//   NAME    of the place; NAME/7: only there where job number 7 is worked on
//   ACTION  kill (SIGKILL), abort, stop (SIGSTOP, to this process), hang (the
//           thread sleeps for ever), sleep:MS (for milliseconds), until:PATH
//           (sleeps until there is a file PATH)
//   PASS    N: when the place is passed the N-th time in this process;
//           N+: from then on every time
//   :PATH   only if there is no file PATH, which is then made. Of several
//           processes, and of those started later, one fails once.
class FailPointRules {
 public:
  // INVALID_ARGUMENT: what cannot be read.
  static absl::StatusOr<FailPointRules> Parse(absl::string_view text);

  // Fails here, if a rule says so.
  void Pass(absl::string_view name, uint64_t job) ABSL_LOCKS_EXCLUDED(*mu_);

 private:
  enum class Action { kKill, kAbort, kStop, kHang, kSleep, kUntil };
  struct Rule {
    std::string name;
    // 0: any.
    uint64_t job = 0;
    Action action = Action::kKill;
    absl::Duration sleep;
    // For kUntil.
    std::string awaited_file;
    int64_t first_pass = 1;
    bool every_later_pass = false;
    // Empty: none.
    std::string marker;
    int64_t passes = 0;
  };

  static absl::StatusOr<Rule> ParseRule(absl::string_view text);
  static absl::Status ParseName(absl::string_view text, Rule& rule);
  static absl::Status ParseAction(absl::string_view text, Rule& rule);
  static absl::Status ParsePass(absl::string_view text, Rule& rule);
  static bool Applies(Rule& rule, absl::string_view name, uint64_t job);
  static void Act(const Rule& rule);

  // In its own place, so that this can be moved.
  std::unique_ptr<absl::Mutex> mu_ = std::make_unique<absl::Mutex>();
  std::vector<Rule> rules_ ABSL_GUARDED_BY(*mu_);
};

}  // namespace hydra

#endif  // HYDRA_COMMON_FAILPOINT_FAIL_POINT_RULES_H_
