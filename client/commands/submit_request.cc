#include "client/commands/submit_request.h"

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/jobfile/job_file.h"

namespace hydra {
namespace {

namespace fs = std::filesystem;

constexpr char kStandardInput[] = "-";

std::string ReadAll(std::istream& stream) {
  return std::string(std::istreambuf_iterator<char>(stream), {});
}

std::string BaseDirectory(const std::string& path) {
  if (path == kStandardInput) return fs::current_path().string();
  return fs::absolute(path).lexically_normal().parent_path().string();
}

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

absl::StatusOr<std::string> ReadTextFile(const CliContext& context,
                                         const std::string& path) {
  if (path == kStandardInput) return ReadAll(*context.in);
  std::error_code ignored;
  if (fs::is_directory(path, ignored)) {
    return absl::InvalidArgumentError(absl::StrCat(path, " is a directory"));
  }
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    return absl::InvalidArgumentError(
        absl::StrCat("cannot read ", path, ": ", std::strerror(errno)));
  }
  return ReadAll(file);
}

absl::StatusOr<v1::SubmitRequest> LoadSubmitRequest(const CliContext& context,
                                                    const std::string& path) {
  const absl::StatusOr<std::string> text = ReadTextFile(context, path);
  if (!text.ok()) return text.status();
  absl::StatusOr<JobFile> file = ParseJobFile(*text);
  if (!file.ok()) return file.status();
  MakePathsAbsolute(BaseDirectory(path), &*file);
  v1::SubmitRequest request;
  *request.mutable_job() = std::move(file->job);
  request.mutable_grid()->Assign(file->grid.begin(), file->grid.end());
  request.set_request_id(RandomRequestId());
  return request;
}

}  // namespace hydra
