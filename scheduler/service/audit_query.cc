#include "scheduler/service/audit_query.h"

#include "common/status/proto_time.h"
#include "scheduler/service/client_request.h"
#include "scheduler/service/job_filter.h"

namespace hydra {
namespace {

constexpr int kMostEntriesOnAPage = 1000;

}  // namespace

absl::StatusOr<AuditLog::Query> ParseAuditQuery(
    const Caller& caller, const v1::ListAuditRequest& request) {
  AuditLog::Query query;
  if (!request.user().empty()) {
    const absl::StatusOr<Caller> user =
        ParseUser(caller, request.user(), "user");
    if (!user.ok()) return user.status();
    query.user = *user == Caller() ? std::optional<uint32_t>()
                                   : std::optional<uint32_t>(user->user);
  }
  if (request.has_since()) query.since = FromProto(request.since());
  const absl::StatusOr<int> most =
      ParsePageSize(request.page_size(), kMostEntriesOnAPage);
  if (!most.ok()) return most.status();
  query.most = *most;
  if (request.page_token().empty()) return query;
  const absl::StatusOr<int64_t> before = ParseNumberToken(request.page_token());
  if (!before.ok()) return before.status();
  query.before = *before;
  return query;
}

}  // namespace hydra
