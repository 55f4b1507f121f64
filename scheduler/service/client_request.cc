#include "scheduler/service/client_request.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

#include <algorithm>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/hash/sha256.h"
#include "common/jobfile/mistakes.h"
#include "common/text/printable.h"
#include "scheduler/core/job.h"

namespace hydra {
namespace {

constexpr int kMostJobsOnAPage = 1000;
constexpr int kMostStepsOnAPage = 10'000;
constexpr int kDefaultWatchMs = 200;
constexpr int kMinWatchMs = 20;
constexpr size_t kMaxRequestIdBytes = 128;

// INVALID_ARGUMENT: not `prefix` and a number as the server writes it.
absl::StatusOr<uint64_t> ParseId(absl::string_view text, char prefix,
                                 absl::string_view field) {
  const std::string example = absl::StrCat(std::string(1, prefix), "7");
  if (text.empty()) {
    return WrongField(field, absl::StrCat("is needed, such as ", example));
  }
  uint64_t number = 0;
  if (text[0] == prefix && absl::SimpleAtoi(text.substr(1), &number) &&
      absl::StrCat(number) == text.substr(1)) {
    return number;
  }
  return WrongField(
      field, absl::StrCat("found ", Quoted(text), "; an id such as ", example,
                          " is needed"));
}

absl::Status NeedsNoNegative(absl::string_view field, int64_t found) {
  return WrongField(field,
                    absl::StrCat("found ", found, "; 0 or more is needed"));
}

absl::Status NoTokenOfOurs(const std::string& token) {
  return WrongField("page_token",
                    absl::StrCat("found ", Quoted(token),
                                 ", which is no next_page_token of this "
                                 "server"));
}

// Messages of the same content give the same bytes.
std::string Deterministic(const google::protobuf::MessageLite& message) {
  std::string bytes;
  google::protobuf::io::StringOutputStream stream(&bytes);
  google::protobuf::io::CodedOutputStream coded(&stream);
  coded.SetSerializationDeterministic(true);
  message.SerializeToCodedStream(&coded);
  coded.Trim();
  return bytes;
}

}  // namespace

absl::StatusOr<JobId> ParseJobId(absl::string_view text) {
  const absl::StatusOr<uint64_t> id = ParseId(text, 'j', "job_id");
  if (!id.ok()) return id.status();
  return JobId(*id);
}

absl::StatusOr<SweepId> ParseSweepId(absl::string_view text) {
  const absl::StatusOr<uint64_t> id = ParseId(text, 's', "sweep_id");
  if (!id.ok()) return id.status();
  return SweepId(*id);
}

absl::StatusOr<absl::flat_hash_set<int>> ParseStates(
    const v1::ListJobsRequest& request) {
  absl::flat_hash_set<int> states;
  for (int state : request.states()) {
    if (!v1::JobState_IsValid(state) || state == v1::JOB_STATE_UNSPECIFIED) {
      return WrongField("states",
                        absl::StrCat("there is no state number ", state,
                                     "; they go from 1 to ", v1::JobState_MAX));
    }
    states.insert(state);
  }
  return states;
}

absl::StatusOr<int> ParsePageSize(const v1::ListJobsRequest& request) {
  return ParsePageSize(request.page_size(), kMostJobsOnAPage);
}

absl::StatusOr<int> ParsePageSize(int asked, int most) {
  if (asked < 0) return NeedsNoNegative("page_size", asked);
  return asked == 0 ? most : std::min(asked, most);
}

std::string PageToken(const ReadModel::Place& place) {
  return absl::StrCat(SweepName(place.sweep), ".", JobName(place.job));
}

absl::StatusOr<ReadModel::Place> ParsePageToken(const std::string& token) {
  const std::pair<absl::string_view, absl::string_view> parts =
      absl::StrSplit(token, absl::MaxSplits('.', 1));
  const absl::StatusOr<SweepId> sweep = ParseSweepId(parts.first);
  const absl::StatusOr<JobId> job = ParseJobId(parts.second);
  if (!sweep.ok() || !job.ok()) return NoTokenOfOurs(token);
  return ReadModel::Place{*sweep, *job};
}

absl::StatusOr<MetricsPage> ParseMetricsPage(
    const v1::ListMetricsRequest& request) {
  const absl::StatusOr<int> most =
      ParsePageSize(request.page_size(), kMostStepsOnAPage);
  if (!most.ok()) return most.status();
  if (request.first_step() < 0) {
    return NeedsNoNegative("first_step", request.first_step());
  }
  if (request.page_token().empty()) {
    return MetricsPage{request.first_step(), *most};
  }
  const absl::StatusOr<int64_t> first = ParseNumberToken(request.page_token());
  if (!first.ok()) return first.status();
  return MetricsPage{*first, *most};
}

std::string NumberToken(int64_t number) { return absl::StrCat(number); }

absl::StatusOr<int64_t> ParseNumberToken(const std::string& token) {
  int64_t number = 0;
  if (!absl::SimpleAtoi(token, &number) || number < 1 ||
      NumberToken(number) != token) {
    return NoTokenOfOurs(token);
  }
  return number;
}

absl::StatusOr<absl::Duration> ParseInterval(const v1::WatchRequest& request) {
  if (request.interval_ms() < 0) {
    return NeedsNoNegative("interval_ms", request.interval_ms());
  }
  if (request.interval_ms() == 0) return absl::Milliseconds(kDefaultWatchMs);
  return absl::Milliseconds(std::max(kMinWatchMs, request.interval_ms()));
}

absl::StatusOr<RequestKey> KeyOf(const Caller& caller,
                                 const v1::SubmitRequest& request) {
  RequestKey key;
  key.id = request.request_id();
  // Who it is, without the connection that it came by: it is kept for long.
  key.caller = Caller{caller.user};
  if (key.id.size() > kMaxRequestIdBytes) {
    return WrongField("request_id",
                      absl::StrCat("has ", key.id.size(), " bytes; at most ",
                                   kMaxRequestIdBytes, " are possible"));
  }
  if (key.id.empty()) return key;
  v1::SubmitRequest asked;
  *asked.mutable_job() = request.job();
  *asked.mutable_grid() = request.grid();
  Sha256 digest;
  digest.Update(Deterministic(asked));
  key.digest = digest.Finish();
  return key;
}

}  // namespace hydra
