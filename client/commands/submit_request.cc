#include "client/commands/submit_request.h"

#include <cstdint>
#include <random>
#include <utility>

#include "absl/strings/str_cat.h"
#include "client/commands/text_file.h"
#include "common/jobfile/job_file.h"
#include "common/jobfile/job_file_check.h"
#include "common/jobfile/mistakes.h"

namespace hydra {
namespace {

std::string RandomRequestId() {
  std::random_device device;
  std::string id;
  for (int i = 0; i < 4; ++i) {
    absl::StrAppend(
        &id, absl::Hex(static_cast<uint32_t>(device()), absl::kZeroPad8));
  }
  return id;
}

}  // namespace

JobFileRequest RequestOf(JobFile file, const std::string& base) {
  JobFileRequest made;
  made.hints = HintsOf(file, base);
  MakePathsAbsolute(base, &file);
  *made.request.mutable_job() = std::move(file.job);
  made.request.mutable_grid()->Assign(file.grid.begin(), file.grid.end());
  made.request.set_request_id(RandomRequestId());
  return made;
}

absl::StatusOr<JobFileRequest> LoadSubmitRequest(const CliContext& context,
                                                 const std::string& path) {
  const absl::StatusOr<std::string> text = ReadTextFile(context, path);
  if (!text.ok()) return text.status();
  absl::StatusOr<JobFileToCheck> read = ReadJobFileToCheck(*text);
  if (!read.ok()) return read.status();
  const absl::StatusOr<std::string> base = BaseDirectory(path);
  if (!base.ok()) return base.status();
  JobFileRequest made = RequestOf(std::move(read->file), *base);
  made.known = std::move(read->known);
  return made;
}

namespace {

// What `ask` answers, or all that is wrong with the file.
template <typename Ask>
auto Asked(const JobFileRequest& file, Ask ask) -> decltype(ask()) {
  // Then part of it may be unread.
  if (IsFull(file.known.mistakes)) return ToStatus(file.known.mistakes);
  auto response = ask();
  if (response.ok() && file.known.mistakes.empty()) return response;
  const Mistakes theirs = MistakesOf(WithHints(response.status(), file.hints));
  if (!theirs.empty()) return AllMistakes(file.known, theirs);
  // That the job does not fit may come from what is unread.
  if (response.ok() || absl::IsResourceExhausted(response.status())) {
    return file.known.mistakes.empty() ? response.status()
                                       : ToStatus(file.known.mistakes);
  }
  return NotAsked(file, response.status());
}

}  // namespace

absl::StatusOr<v1::SubmitResponse> Submit(const JobFileRequest& file,
                                          Connection* connection) {
  v1::SubmitRequest request = file.request;
  if (!file.known.mistakes.empty()) request.set_validate_only(true);
  return Asked(file, [&] { return connection->Submit(request); });
}

absl::StatusOr<v1::PlanResponse> Plan(
    const JobFileRequest& file, const std::vector<int64_t>& device_memory_bytes,
    Connection* connection) {
  v1::PlanRequest request;
  *request.mutable_job() = file.request.job();
  *request.mutable_grid() = file.request.grid();
  request.mutable_device_memory_bytes()->Assign(device_memory_bytes.begin(),
                                                device_memory_bytes.end());
  return Asked(file, [&] { return connection->Plan(request); });
}

absl::Status NotAsked(const JobFileRequest& file, const absl::Status& why) {
  if (file.known.mistakes.empty()) return why;
  return ToStatus(
      file.known.mistakes,
      absl::StrCat("hydra: values, files and the model were not checked: ",
                   why.message()));
}

}  // namespace hydra
