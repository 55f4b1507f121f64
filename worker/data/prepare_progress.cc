#include "worker/data/prepare_progress.h"

#include <cstring>
#include <string>

#include "absl/strings/str_cat.h"
#include "common/hash/sha256.h"
#include "glog/logging.h"
#include "worker/data/header_checksum.h"

namespace hydra {
namespace {

constexpr char kMagic[] = "HYDRAPRG";
constexpr uint32_t kVersion = 1;

// Little-endian, as a token file's header.
struct Layout {
  char magic[8];
  uint32_t version;
  uint32_t max_token_id;
  int64_t token_count;
  char ids_sha256[Sha256::kDigestBytes];
  int64_t file;
  int64_t end_bytes;
  int64_t read_bytes;
  char read_sha256[Sha256::kDigestBytes];
  char checksum[kHeaderChecksumBytes];
};
static_assert(sizeof(Layout) == 120, "no padding");

void CopyDigest(const std::string& digest, char* to) {
  CHECK_EQ(digest.size(), Sha256::kDigestBytes);
  std::memcpy(to, digest.data(), digest.size());
}

}  // namespace

absl::Status SaveProgress(const PrepareProgress& progress, PosixFile* file) {
  Layout layout = {};
  std::memcpy(layout.magic, kMagic, sizeof(layout.magic));
  layout.version = kVersion;
  layout.max_token_id = progress.written.max_token_id;
  layout.token_count = progress.written.token_count;
  CopyDigest(progress.written.ids_sha256, layout.ids_sha256);
  layout.file = progress.file;
  layout.end_bytes = progress.place.end_bytes;
  layout.read_bytes = progress.place.read_bytes;
  CopyDigest(progress.place.read_sha256, layout.read_sha256);
  const std::string bytes = WithChecksum(
      std::string(reinterpret_cast<const char*>(&layout), sizeof(layout)));
  const absl::Status written = file->WriteAt(bytes, 0);
  if (!written.ok()) return written;
  return file->Sync();
}

absl::StatusOr<PrepareProgress> LoadProgress(PosixFile* file) {
  std::string bytes(sizeof(Layout), '\0');
  const absl::StatusOr<int64_t> count = file->Read(absl::MakeSpan(bytes));
  if (!count.ok()) return count.status();
  Layout layout;
  std::memcpy(&layout, bytes.data(), sizeof(layout));
  if (*count != sizeof(Layout) ||
      std::memcmp(layout.magic, kMagic, sizeof(layout.magic)) != 0 ||
      layout.version != kVersion || !HasRightChecksum(bytes)) {
    return absl::DataLossError(
        absl::StrCat(file->path(), " is no whole record of progress"));
  }
  PrepareProgress progress;
  progress.file = layout.file;
  progress.place.end_bytes = layout.end_bytes;
  progress.place.read_bytes = layout.read_bytes;
  progress.place.read_sha256.assign(layout.read_sha256,
                                    sizeof(layout.read_sha256));
  progress.written.token_count = layout.token_count;
  progress.written.max_token_id = layout.max_token_id;
  progress.written.ids_sha256.assign(layout.ids_sha256,
                                     sizeof(layout.ids_sha256));
  return progress;
}

}  // namespace hydra
