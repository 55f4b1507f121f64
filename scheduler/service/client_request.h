#ifndef HYDRA_SCHEDULER_SERVICE_CLIENT_REQUEST_H_
#define HYDRA_SCHEDULER_SERVICE_CLIENT_REQUEST_H_

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/ids/ids.h"
#include "hydra/v1/hydra.pb.h"
#include "scheduler/core/caller.h"
#include "scheduler/core/submission_ledger.h"
#include "scheduler/runtime/read_model.h"

namespace hydra {

// What requests of clients mean. Pure functions; each error is INVALID_ARGUMENT
// with the field's name.

// Ids as the server writes them, such as "j7" and "s3", and in no other way.
absl::StatusOr<JobId> ParseJobId(absl::string_view text);
absl::StatusOr<SweepId> ParseSweepId(absl::string_view text);

struct AllJobs {};
// Whom a call is about.
using Target = std::variant<AllJobs, SweepId, JobId>;
// Whom `request`, which has a oneof of these, is about. AllJobs: it names
// neither.
template <typename Request>
absl::StatusOr<Target> ParseTarget(const Request& request) {
  switch (request.target_case()) {
    case Request::kJobId:
      return ParseJobId(request.job_id());
    case Request::kSweepId:
      return ParseSweepId(request.sweep_id());
    case Request::TARGET_NOT_SET:
      break;
  }
  return AllJobs();
}

// Empty: all states.
absl::StatusOr<absl::flat_hash_set<int>> ParseStates(
    const v1::ListJobsRequest& request);
absl::StatusOr<int> ParsePageSize(const v1::ListJobsRequest& request);
// `asked`, or `most` if that is less, or for 0.
absl::StatusOr<int> ParsePageSize(int asked, int most);

// After which job a page begins, as the page before said.
std::string PageToken(const ReadModel::Place& place);
absl::StatusOr<ReadModel::Place> ParsePageToken(const std::string& token);

// A page of a job's metrics: the steps from `first` on, at most so many.
struct MetricsPage {
  int64_t first = 0;
  int most = 0;
};
absl::StatusOr<MetricsPage> ParseMetricsPage(
    const v1::ListMetricsRequest& request);

// The token of the page that a number above 0 stands for, and that number.
std::string NumberToken(int64_t number);
absl::StatusOr<int64_t> ParseNumberToken(const std::string& token);

absl::StatusOr<absl::Duration> ParseInterval(const v1::WatchRequest& request);

// Of a submission: what it is known by if it comes again.
absl::StatusOr<RequestKey> KeyOf(const Caller& caller,
                                 const v1::SubmitRequest& request);

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_SERVICE_CLIENT_REQUEST_H_
