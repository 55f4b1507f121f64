#ifndef HYDRA_CLIENT_DOCTOR_DIAGNOSE_H_
#define HYDRA_CLIENT_DOCTOR_DIAGNOSE_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "client/connection/socket_access.h"
#include "hydra/v1/hydra.pb.h"

namespace hydra {

// What `hydra doctor` looked at.
struct DoctorFacts {
  std::string client_version;
  // Where the server is; or why nobody knows.
  absl::StatusOr<std::string> address;
  // Of the address, if it is a unix socket's.
  std::optional<SocketAccess> socket;
  // What the server said of itself, asked and answered at these times of this
  // machine's clock.
  absl::StatusOr<v1::GetServerInfoResponse> info;
  absl::Time asked_at;
  absl::Time answered_at;
  absl::StatusOr<v1::ListWorkersResponse> workers;
};

struct Finding {
  enum class Level { kOk, kWarning, kFailure };

  Level level = Level::kOk;
  // "connection"
  std::string subject;
  std::string text;
  // What to do; empty where all is well.
  std::string remedy;
};

// One finding for each thing that is known, the ones that others need first. An
// older server says less, and what it does not say is left out. Pure.
std::vector<Finding> Diagnose(const DoctorFacts& facts);

}  // namespace hydra

#endif  // HYDRA_CLIENT_DOCTOR_DIAGNOSE_H_
