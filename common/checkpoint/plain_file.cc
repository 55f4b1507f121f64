#include "common/checkpoint/plain_file.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "absl/functional/function_ref.h"
#include "absl/strings/str_cat.h"
#include "common/checkpoint/tensor_sum.h"
#include "common/file/private_places.h"
#include "common/hash/sha256.h"
#include "common/text/printable.h"
#include "glog/logging.h"

namespace hydra {
namespace {

using checkpoint::v1::FileSum;

// They are read whole; a tokenizer has a few MB.
constexpr int64_t kMaxCopiedBytes = 256 << 20;

FileSum SumOfFile(const std::string& name, int64_t bytes, uint64_t sum) {
  FileSum file;
  file.set_name(name);
  file.set_bytes(bytes);
  (*file.mutable_tensors())[""] = sum;
  return file;
}

absl::Status Sync(const UniqueFd& fd, const std::string& path) {
  if (fsync(fd.get()) == 0) return absl::OkStatus();
  return FileError(errno, absl::StrCat("cannot sync ", path));
}

// Whether `text`, read from there, is the file with that sha256.
absl::Status CheckWanted(const CopiedFile& file,
                         const absl::StatusOr<std::string>& text) {
  if (!text.ok()) {
    return absl::FailedPreconditionError(
        absl::StrCat("cannot copy ", file.path,
                     ", which is needed: ", text.status().message()));
  }
  const std::string found = HexSha256(*text);
  if (found == *file.sha256) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat(
      "cannot copy ", file.path,
      ", which is needed: it is another file than at first, its SHA-256 is ",
      found, " and not ", *file.sha256));
}

// Hands the first `bytes` of a file to `use`, piece by piece.
absl::Status ForEachPiece(
    const UniqueFd& fd, absl::string_view path, int64_t bytes,
    absl::FunctionRef<absl::Status(int64_t offset, absl::string_view)> use) {
  std::string piece(std::min(bytes, kSumPieceBytes), '\0');
  for (int64_t done = 0; done < bytes;) {
    piece.resize(std::min(bytes - done, kSumPieceBytes));
    absl::Status status = ReadExactly(
        fd, path, done, static_cast<int64_t>(piece.size()), piece.data());
    if (status.ok()) status = use(done, piece);
    if (!status.ok()) return status;
    done += static_cast<int64_t>(piece.size());
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<FileSum> WritePlainFile(const HeldDirectory& directory,
                                       const std::string& name,
                                       absl::string_view text) {
  const std::string path = directory.PathOf(name);
  const int64_t bytes = static_cast<int64_t>(text.size());
  const absl::StatusOr<UniqueFd> file = directory.CreateFile(name);
  if (!file.ok()) return file.status();
  absl::Status status = WriteExactly(*file, path, 0, bytes, text.data());
  if (status.ok()) status = Sync(*file, path);
  if (!status.ok()) return status;
  return SumOfFile(name, bytes, SumOf(text));
}

absl::StatusOr<std::string> ReadFileToCopy(const std::string& path,
                                           const FileAccess& access) {
  return ReadJobFile(path, access, kMaxCopiedBytes);
}

absl::StatusOr<std::vector<FileSum>> CopyPlainFiles(
    const HeldDirectory& directory, const std::vector<CopiedFile>& files,
    const FileAccess& access) {
  std::vector<FileSum> sums;
  for (const CopiedFile& file : files) {
    const absl::StatusOr<std::string> text = ReadFileToCopy(file.path, access);
    if (IsWithoutFileBroker(text.status())) return text.status();
    if (file.sha256.has_value()) {
      absl::Status wanted = CheckWanted(file, text);
      if (!wanted.ok()) return wanted;
    }
    if (absl::IsNotFound(text.status())) continue;
    if (!text.ok()) {
      LOG(WARNING) << Printable(absl::StrCat(directory.path(), " will have no ",
                                             file.name, ": ",
                                             text.status().message()));
      continue;
    }
    absl::StatusOr<FileSum> sum = WritePlainFile(directory, file.name, *text);
    if (!sum.ok()) return sum.status();
    sums.push_back(*std::move(sum));
  }
  return sums;
}

absl::StatusOr<std::string> ReadJobFile(const std::string& path,
                                        const FileAccess& access,
                                        int64_t max_bytes) {
  const absl::StatusOr<UniqueFd> file = OpenJobFile(path, access);
  if (!file.ok()) return file.status();
  return ReadPlainFile(*file, path, max_bytes);
}

absl::StatusOr<std::string> ReadPlainFile(const UniqueFd& fd,
                                          absl::string_view path,
                                          int64_t max_bytes) {
  const absl::StatusOr<int64_t> bytes = FileBytes(fd, path);
  if (!bytes.ok()) return bytes.status();
  if (*bytes > max_bytes) {
    return absl::InvalidArgumentError(absl::StrCat(
        path, " has ", *bytes, " B, at most ", max_bytes, " B are allowed"));
  }
  std::string text(*bytes, '\0');
  absl::Status status = ReadExactly(fd, path, 0, *bytes, text.data());
  if (!status.ok()) return status;
  return text;
}

absl::Status CheckPlainFile(const UniqueFd& fd, absl::string_view path,
                            const FileSum& wanted) {
  const absl::StatusOr<int64_t> bytes = FileBytes(fd, path);
  if (!bytes.ok()) return bytes.status();
  if (*bytes != wanted.bytes()) {
    return absl::DataLossError(absl::StrCat(
        path, " has ", *bytes, " B, expected ", wanted.bytes(), " B"));
  }
  TensorSum sum;
  absl::Status status =
      ForEachPiece(fd, path, *bytes, [&](int64_t, absl::string_view piece) {
        sum.Add(piece.data(), static_cast<int64_t>(piece.size()));
        return absl::OkStatus();
      });
  if (!status.ok()) return status;
  const auto entry = wanted.tensors().find("");
  const uint64_t expected = entry == wanted.tensors().end() ? 0 : entry->second;
  if (sum.Value() == expected) return absl::OkStatus();
  return absl::DataLossError(absl::StrCat(path, " has the sum ",
                                          SumText(sum.Value()), ", expected ",
                                          SumText(expected)));
}

}  // namespace hydra
