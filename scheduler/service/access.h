#ifndef HYDRA_SCHEDULER_SERVICE_ACCESS_H_
#define HYDRA_SCHEDULER_SERVICE_ACCESS_H_

#include <sys/types.h>

#include <memory>
#include <optional>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "scheduler/core/caller.h"

// Who may do what; docs/daemon.md, "Who may do what", has the same table. Pure.
namespace hydra {

// What a caller is to a job.
enum class Role { kOwner, kMember, kOperator, kOther };

// What a caller wants of a job.
enum class Right {
  // To know that there is such a job, whose it is, and its state.
  kSee,
  // All that is known of it, its log and its trace.
  kRead,
  // The trained model.
  kDownload,
  // To pause and to resume it.
  kPause,
  // To cancel it, to remove its checkpoints, to set its priority, and to delete
  // it.
  kCancel,
};

enum class Answer {
  kAllowed,
  // The caller may know that there is such a job, but not do this.
  kForbidden,
  // As if there were no such job.
  kHidden,
};

Answer Decide(Role role, Right right, bool private_jobs);

// Whose a job is. Never changes.
struct Ownership {
  // Unknown: it came by TCP, or an earlier version took it in; it is
  // everybody's who may enter.
  Caller owner;
  // The group of its project. None: it has none.
  std::optional<gid_t> project_group;
};

// Some of the machine's accounts.
struct Accounts {
  absl::flat_hash_set<uid_t> users;
  absl::flat_hash_set<gid_t> groups;

  // By user, or by any of the groups. Nobody who is unknown.
  bool Has(const Caller& caller) const;
};

// The rules of one server. Copies share them, so that all see those that
// replace them. Thread-safe.
class AccessPolicy {
 public:
  struct Rules {
    // None: whoever reaches the socket.
    std::optional<Accounts> allowed;
    // The same for people: "group hydra, alice".
    std::string allowed_text;
    // The first group of these. Empty: there is none.
    std::string allowed_group;
    Accounts operators;
    bool private_jobs = false;
  };

  // Whoever reaches the socket may enter, and nobody is an operator.
  AccessPolicy() : AccessPolicy(Rules()) {}
  explicit AccessPolicy(Rules rules);

  // From now on the rules are those of `other`, for all copies.
  void TakeRulesOf(const AccessPolicy& other);

  // Whether the caller may use this server at all.
  bool MayEnter(const Caller& caller) const;
  // What somebody of that name is told who may not. PERMISSION_DENIED, with the
  // remedy.
  absl::Status NotForYou(const Caller& caller,
                         absl::string_view user_name) const;

  bool IsOperator(const Caller& caller) const {
    return rules()->operators.Has(caller);
  }
  Role RoleOf(const Caller& caller, const Ownership& job) const;
  Answer AnswerTo(const Caller& caller, const Ownership& job,
                  Right right) const {
    return Decide(RoleOf(caller, job), right, private_jobs());
  }
  bool private_jobs() const { return rules()->private_jobs; }

 private:
  struct Current {
    absl::Mutex mu;
    std::shared_ptr<const Rules> rules ABSL_GUARDED_BY(mu);
  };
  std::shared_ptr<const Rules> rules() const;

  std::shared_ptr<Current> current_;
};

// What a caller is told of a job, or of a sweep with it, that is another's.
// `target` is its id, `owner` a name. PERMISSION_DENIED.
absl::Status NotYours(absl::string_view target, absl::string_view owner,
                      Right right);

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_SERVICE_ACCESS_H_
