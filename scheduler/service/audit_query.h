#ifndef HYDRA_SCHEDULER_SERVICE_AUDIT_QUERY_H_
#define HYDRA_SCHEDULER_SERVICE_AUDIT_QUERY_H_

#include "absl/status/statusor.h"
#include "hydra/v1/hydra.pb.h"
#include "scheduler/core/caller.h"
#include "scheduler/storage/audit_log.h"

namespace hydra {

// What a request asks of the audit log. May look up a user.
//
// INVALID_ARGUMENT: with the field's name. UNAVAILABLE: as ParseUser.
absl::StatusOr<AuditLog::Query> ParseAuditQuery(
    const Caller& caller, const v1::ListAuditRequest& request);

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_SERVICE_AUDIT_QUERY_H_
