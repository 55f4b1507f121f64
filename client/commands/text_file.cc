#include "client/commands/text_file.h"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <system_error>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/file/working_directory.h"
#include "common/jobfile/yaml_tree.h"

namespace hydra {
namespace {

namespace fs = std::filesystem;

constexpr char kStandardInput[] = "-";
// More is a loop of links, which nobody can open.
constexpr int kMaxLinks = 40;

// Reads no more than shows that there is too much: /dev/zero has no end.
absl::StatusOr<std::string> ReadAll(const std::string& path,
                                    std::istream& stream) {
  std::string text(kMaxYamlBytes + 1, '\0');
  stream.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(stream.gcount());
  if (stream.bad()) {
    return absl::InvalidArgumentError(
        absl::StrCat("cannot read ", path, ": ", std::strerror(errno)));
  }
  if (text.size() > kMaxYamlBytes) {
    return absl::InvalidArgumentError(absl::StrCat(
        path, " has more than ", kMaxYamlBytes, " bytes, the most allowed"));
  }
  return text;
}

// Whether `path` leads to an open descriptor of some process: /dev/stdin,
// /dev/fd/N, /proc/PID/fd/N and links to them.
bool IsDescriptor(fs::path path) {
  std::error_code error;
  for (int i = 0; i < kMaxLinks; ++i) {
    const fs::path folder =
        fs::canonical(path.has_parent_path() ? path.parent_path() : ".", error);
    if (error) return false;
    if (folder.filename() == "fd" &&
        absl::StartsWith(folder.string(), "/proc/")) {
      return true;
    }
    const fs::path target = fs::read_symlink(path, error);
    if (error) return false;
    path = folder / target;
  }
  return false;
}

// Not so: pipes, sockets and terminals.
bool LiesInADirectory(const std::string& path) {
  if (path == kStandardInput) return false;
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (!error && !fs::is_regular_file(status)) return false;
  return !IsDescriptor(path);
}

}  // namespace

absl::StatusOr<std::string> ReadTextFile(const CliContext& context,
                                         const std::string& path) {
  if (path == kStandardInput) return ReadAll("standard input", *context.in);
  if (path.empty()) {
    return absl::InvalidArgumentError("the file's name is empty");
  }
  std::error_code ignored;
  if (fs::is_directory(path, ignored)) {
    return absl::InvalidArgumentError(absl::StrCat(path, " is a directory"));
  }
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    return absl::InvalidArgumentError(
        absl::StrCat("cannot read ", path, ": ", std::strerror(errno)));
  }
  return ReadAll(path, file);
}

absl::StatusOr<std::string> BaseDirectory(const std::string& path) {
  if (!LiesInADirectory(path)) return WorkingDirectory();
  const absl::StatusOr<std::string> absolute = AbsoluteFromHere(path);
  if (!absolute.ok()) return absolute.status();
  return fs::path(*absolute).parent_path().string();
}

}  // namespace hydra
