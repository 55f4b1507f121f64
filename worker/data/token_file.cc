#include "worker/data/token_file.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "common/hash/sha256.h"
#include "glog/logging.h"

namespace hydra {
namespace {

constexpr int64_t kIdBytes = sizeof(uint32_t);
constexpr int64_t kPieceIds = int64_t{1} << 18;

absl::StatusOr<TokenHeader> ReadHeader(const UniqueFd& fd,
                                       const std::string& path,
                                       int64_t size_bytes) {
  std::string bytes(std::min(size_bytes, TokenHeader::kBytes), '\0');
  const absl::Status read =
      ReadExactly(fd, path, 0, static_cast<int64_t>(bytes.size()), &bytes[0]);
  if (!read.ok()) return read;
  absl::StatusOr<TokenHeader> header = DecodeTokenHeader(bytes);
  if (!header.ok()) {
    return absl::DataLossError(
        absl::StrCat(path, " ", header.status().message()));
  }
  return header;
}

int64_t BytesOf(const TokenHeader& header) {
  return TokenHeader::kBytes + header.token_count * kIdBytes;
}

// The ids from number `first` on, a piece of them, which is not empty if there
// are any.
absl::Status ReadPiece(const TokenFile& file, int64_t first,
                       std::vector<uint32_t>* ids) {
  ids->resize(std::min(kPieceIds, file.token_count() - first));
  return file.Read(first, absl::MakeSpan(*ids));
}

}  // namespace

absl::StatusOr<TokenFile> TokenFile::Open(const std::string& path) {
  absl::StatusOr<UniqueFd> fd = OpenRegularFile(path);
  if (!fd.ok()) return fd.status();
  const absl::StatusOr<int64_t> size_bytes = FileBytes(*fd, path);
  if (!size_bytes.ok()) return size_bytes.status();
  absl::StatusOr<TokenHeader> header = ReadHeader(*fd, path, *size_bytes);
  if (!header.ok()) return header.status();
  if (*size_bytes != BytesOf(*header)) {
    return absl::DataLossError(
        absl::StrCat(path, " has ", *size_bytes, " bytes, its header says ",
                     BytesOf(*header), " (", header->token_count, " tokens)"));
  }
  return TokenFile(path, *std::move(header), *std::move(fd));
}

TokenFile::TokenFile(std::string path, TokenHeader header, UniqueFd fd)
    : path_(std::move(path)), header_(std::move(header)), fd_(std::move(fd)) {}

std::string TokenFile::content_hash() const {
  return absl::BytesToHexString(header_.content_hash);
}

absl::Status TokenFile::Read(int64_t first, absl::Span<uint32_t> ids) const {
  const int64_t count = ids.size();
  CHECK(first >= 0 && count <= token_count() - first)
      << "ids " << first << " to " << first + count << " of " << token_count();
  return ReadExactly(fd_, path_, TokenHeader::kBytes + first * kIdBytes,
                     count * kIdBytes, ids.data());
}

absl::StatusOr<std::optional<TokenFile::Position>> TokenFile::FindIdFrom(
    int64_t limit) const {
  std::vector<uint32_t> ids;
  for (int64_t first = 0; first < token_count(); first += kPieceIds) {
    const absl::Status read = ReadPiece(*this, first, &ids);
    if (!read.ok()) return read;
    const auto found = std::find_if(ids.begin(), ids.end(),
                                    [&](int64_t id) { return id >= limit; });
    if (found != ids.end()) {
      return Position{first + (found - ids.begin()), *found};
    }
  }
  return std::nullopt;
}

absl::Status TokenFile::CheckContent(TaskControl& control) const {
  Sha256 sha;
  std::vector<uint32_t> ids;
  for (int64_t first = 0; first < token_count(); first += kPieceIds) {
    if (absl::Status on = control.Advance(); !on.ok()) return on;
    const absl::Status read = ReadPiece(*this, first, &ids);
    if (!read.ok()) return read;
    sha.Update({reinterpret_cast<const char*>(ids.data()),
                ids.size() * sizeof(uint32_t)});
  }
  if (sha.Finish() != header_.content_hash) {
    return absl::DataLossError(
        absl::StrCat(path_, " has ids that fail their checksum"));
  }
  return absl::OkStatus();
}

}  // namespace hydra
