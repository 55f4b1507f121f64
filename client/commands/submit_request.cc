#include "client/commands/submit_request.h"

#include <cstdint>
#include <random>
#include <utility>

#include "absl/strings/str_cat.h"
#include "client/commands/text_file.h"
#include "common/jobfile/job_file.h"

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

absl::StatusOr<JobFileRequest> LoadSubmitRequest(const CliContext& context,
                                                 const std::string& path) {
  const absl::StatusOr<std::string> text = ReadTextFile(context, path);
  if (!text.ok()) return text.status();
  absl::StatusOr<JobFile> file = ParseJobFile(*text);
  if (!file.ok()) return file.status();
  const absl::StatusOr<std::string> base = BaseDirectory(path);
  if (!base.ok()) return base.status();
  JobFileRequest made;
  made.hints = HintsOf(*file, *base);
  MakePathsAbsolute(*base, &*file);
  *made.request.mutable_job() = std::move(file->job);
  made.request.mutable_grid()->Assign(file->grid.begin(), file->grid.end());
  made.request.set_request_id(RandomRequestId());
  return made;
}

absl::StatusOr<v1::SubmitResponse> Submit(const JobFileRequest& file,
                                          Connection* connection) {
  auto response = connection->Call(&Connection::Stub::Submit, file.request);
  if (!response.ok()) return WithHints(response.status(), file.hints);
  return response;
}

}  // namespace hydra
