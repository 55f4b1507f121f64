#include "scheduler/service/job_filter.h"

#include <fnmatch.h>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/jobfile/mistakes.h"
#include "common/status/proto_time.h"
#include "common/text/printable.h"
#include "scheduler/service/accounts.h"

namespace hydra {
namespace {

constexpr size_t kMaxNameBytes = 200;

}  // namespace

absl::StatusOr<Caller> ParseUser(const Caller& caller, const std::string& text,
                                 const std::string& field) {
  if (text == "me") return caller;
  const absl::StatusOr<uid_t> user = FindUser(text);
  if (absl::IsNotFound(user.status())) {
    return WrongField(field, absl::StrCat("there is no user ", Quoted(text),
                                          " on the server"));
  }
  if (!user.ok()) return user.status();
  return Caller{*user};
}

absl::StatusOr<JobFilter> JobFilter::Of(const Caller& caller,
                                        const v1::ListJobsRequest& request) {
  JobFilter filter;
  if (!request.owner().empty()) {
    absl::StatusOr<Caller> owner = ParseUser(caller, request.owner(), "owner");
    if (!owner.ok()) return owner.status();
    filter.owner_ = *std::move(owner);
  }
  if (request.name().size() > kMaxNameBytes) {
    return WrongField(
        "name", absl::StrCat("has ", request.name().size(), " bytes; at most ",
                             kMaxNameBytes, " are possible"));
  }
  filter.name_ = request.name();
  filter.name_is_pattern_ =
      request.name().find_first_of("*?[") != std::string::npos;
  if (request.has_submitted_after()) {
    filter.after_ = FromProto(request.submitted_after());
  }
  if (request.has_submitted_before()) {
    filter.before_ = FromProto(request.submitted_before());
  }
  return filter;
}

bool JobFilter::Matches(const v1::JobStatus& job) const {
  if (owner_.has_value()) {
    const Caller owner =
        job.has_owner_user() ? Caller{job.owner_user()} : Caller();
    if (owner != *owner_) return false;
  }
  if (name_is_pattern_ && fnmatch(name_.c_str(), job.name().c_str(), 0) != 0) {
    return false;
  }
  if (!name_is_pattern_ && !absl::StrContains(job.name(), name_)) return false;
  const bool asks_for_more = !name_.empty() || after_ != absl::InfinitePast() ||
                             before_ != absl::InfiniteFuture();
  if (job.withheld()) return !asks_for_more;
  const absl::Time at = FromProto(job.submitted_at());
  return after_ <= at && at < before_;
}

}  // namespace hydra
