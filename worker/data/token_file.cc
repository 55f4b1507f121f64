#include "worker/data/token_file.h"

#include <fcntl.h>
#include <sys/mman.h>

#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "worker/data/posix_file.h"
#include "common/hash/sha256.h"

namespace hydra {
namespace {

absl::StatusOr<TokenHeader> ReadHeader(PosixFile* file) {
  std::string bytes(TokenHeader::kBytes, '\0');
  const absl::StatusOr<int64_t> count = file->Read(absl::MakeSpan(bytes));
  if (!count.ok()) return count.status();
  bytes.resize(*count);
  absl::StatusOr<TokenHeader> header = DecodeTokenHeader(bytes);
  if (!header.ok()) {
    return absl::DataLossError(
        absl::StrCat(file->path(), " ", header.status().message()));
  }
  return header;
}

int64_t FileBytes(const TokenHeader& header) {
  return TokenHeader::kBytes + header.token_count * sizeof(uint32_t);
}

}  // namespace

absl::StatusOr<TokenFile> TokenFile::Open(const std::string& path) {
  absl::StatusOr<PosixFile> file = PosixFile::Open(path, O_RDONLY);
  if (!file.ok()) return file.status();
  const absl::StatusOr<int64_t> size_bytes = file->SizeBytes();
  if (!size_bytes.ok()) return size_bytes.status();
  absl::StatusOr<TokenHeader> header = ReadHeader(&*file);
  if (!header.ok()) return header.status();
  if (*size_bytes != FileBytes(*header)) {
    return absl::DataLossError(absl::StrCat(
        path, " has ", *size_bytes, " bytes, its header says ",
        FileBytes(*header), " (", header->token_count, " tokens)"));
  }
  void* const mapping =
      mmap(nullptr, *size_bytes, PROT_READ, MAP_SHARED, file->fd(), 0);
  if (mapping == MAP_FAILED) return ErrnoStatus("cannot map", path);
  return TokenFile(path, *std::move(header), mapping);
}

TokenFile::TokenFile(std::string path, TokenHeader header, void* mapping)
    : path_(std::move(path)), header_(std::move(header)), mapping_(mapping) {}

TokenFile::TokenFile(TokenFile&& other) noexcept
    : path_(std::move(other.path_)),
      header_(std::move(other.header_)),
      mapping_(std::exchange(other.mapping_, nullptr)) {}

TokenFile& TokenFile::operator=(TokenFile&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(header_, other.header_);
  std::swap(mapping_, other.mapping_);
  return *this;
}

TokenFile::~TokenFile() {
  if (mapping_ != nullptr) munmap(mapping_, FileBytes(header_));
}

absl::Span<const uint32_t> TokenFile::tokens() const {
  const char* const ids =
      static_cast<const char*>(mapping_) + TokenHeader::kBytes;
  return {reinterpret_cast<const uint32_t*>(ids),
          static_cast<size_t>(header_.token_count)};
}

std::string TokenFile::content_hash() const {
  return absl::BytesToHexString(header_.content_hash);
}

absl::Status TokenFile::CheckContent() const {
  Sha256 sha;
  sha.Update({reinterpret_cast<const char*>(tokens().data()),
              tokens().size() * sizeof(uint32_t)});
  if (sha.Finish() != header_.content_hash) {
    return absl::DataLossError(
        absl::StrCat(path_, " has ids that fail their checksum"));
  }
  return absl::OkStatus();
}

}  // namespace hydra
