#include "client/commands/submit_request.h"

#include <cstdint>
#include <random>
#include <utility>

#include "absl/strings/str_cat.h"
#include "client/commands/text_file.h"
#include "common/jobfile/job_file.h"
#include "common/jobfile/unread_fields.h"

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

absl::Status AllMistakes(const JobFileRequest& file, const Mistakes& theirs) {
  Mistakes all = file.mistakes;
  const Mistakes others = WithoutConsequences(file.unread, theirs);
  all.insert(all.end(), others.begin(), others.end());
  file.order.Sort(&all);
  return ToStatus(all);
}

}  // namespace

absl::StatusOr<JobFileRequest> LoadSubmitRequest(const CliContext& context,
                                                 const std::string& path) {
  const absl::StatusOr<std::string> text = ReadTextFile(context, path);
  if (!text.ok()) return text.status();
  absl::StatusOr<JobFileDraft> draft = ReadJobFile(*text);
  if (!draft.ok()) return draft.status();
  const absl::StatusOr<std::string> base = BaseDirectory(path);
  if (!base.ok()) return base.status();
  JobFileRequest made;
  JobFile& file = draft->file;
  made.mistakes = std::move(draft->mistakes);
  made.order = std::move(draft->order);
  made.unread = UnreadFields(made.mistakes, file.job);
  FillUnread(made.unread, &file.job);
  made.hints = HintsOf(file, *base);
  MakePathsAbsolute(*base, &file);
  *made.request.mutable_job() = std::move(file.job);
  made.request.mutable_grid()->Assign(file.grid.begin(), file.grid.end());
  made.request.set_request_id(RandomRequestId());
  return made;
}

namespace {

// What `ask` answers, or all that is wrong with the file.
template <typename Ask>
auto Asked(const JobFileRequest& file, Ask ask) -> decltype(ask()) {
  // Then part of it may be unread.
  if (IsFull(file.mistakes)) return ToStatus(file.mistakes);
  auto response = ask();
  if (response.ok() && file.mistakes.empty()) return response;
  const Mistakes theirs = MistakesOf(WithHints(response.status(), file.hints));
  if (!theirs.empty()) return AllMistakes(file, theirs);
  // That the job does not fit may come from what is unread.
  if (response.ok() || absl::IsResourceExhausted(response.status())) {
    return file.mistakes.empty() ? response.status() : ToStatus(file.mistakes);
  }
  return NotAsked(file, response.status());
}

}  // namespace

absl::StatusOr<v1::SubmitResponse> Submit(const JobFileRequest& file,
                                          Connection* connection) {
  v1::SubmitRequest request = file.request;
  if (!file.mistakes.empty()) request.set_validate_only(true);
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
  if (file.mistakes.empty()) return why;
  return ToStatus(
      file.mistakes,
      absl::StrCat("hydra: values, files and the model were not checked: ",
                   why.message()));
}

}  // namespace hydra
