#ifndef HYDRA_SCHEDULER_SERVICE_ACCOUNTS_H_
#define HYDRA_SCHEDULER_SERVICE_ACCOUNTS_H_

#include <sys/types.h>

#include <optional>
#include <string>

#include "absl/status/statusor.h"

// The machine's accounts, by whatever it takes them from (nsswitch.conf): each
// call may last as long as a directory service does. Thread-safe.
namespace hydra {

// By its name, or a decimal number, which need not be an account's.
//
// NOT_FOUND: there is none. UNAVAILABLE: what the system said; it may be there.
absl::StatusOr<uid_t> FindUser(const std::string& name);
absl::StatusOr<gid_t> FindGroup(const std::string& name);

// Empty: it has none, or nobody can tell now.
std::string NameOfUser(uid_t user);

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_SERVICE_ACCOUNTS_H_
