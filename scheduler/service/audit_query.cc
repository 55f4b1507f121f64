#include "scheduler/service/audit_query.h"

#include <algorithm>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/status/proto_time.h"
#include "common/text/printable.h"
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
  if (request.page_size() < 0) {
    return absl::InvalidArgumentError(absl::StrCat(
        "page_size: found ", request.page_size(), "; 0 or more is needed"));
  }
  query.most = request.page_size() == 0
                   ? kMostEntriesOnAPage
                   : std::min(request.page_size(), kMostEntriesOnAPage);
  if (!request.page_token().empty() &&
      (!absl::SimpleAtoi(request.page_token(), &query.before) ||
       query.before < 1)) {
    return absl::InvalidArgumentError(
        absl::StrCat("page_token: found ", Quoted(request.page_token()),
                     ", which is no next_page_token of this server"));
  }
  return query;
}

}  // namespace hydra
