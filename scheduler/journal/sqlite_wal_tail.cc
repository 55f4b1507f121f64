#include "scheduler/journal/sqlite_wal_tail.h"

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <optional>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

// The format is section 4 of https://www.sqlite.org/fileformat2.html.

namespace hydra {
namespace {

constexpr int64_t kHeaderBytes = 32;
constexpr int64_t kFrameHeaderBytes = 24;
// The last bit says in which byte order the checksums see the data.
constexpr uint32_t kMagic = 0x377f0682;

uint32_t LoadLittleEndian(absl::string_view word) {
  uint32_t value = 0;
  for (int byte = 3; byte >= 0; --byte) {
    value = value << 8 | static_cast<unsigned char>(word[byte]);
  }
  return value;
}

uint32_t LoadBigEndian(absl::string_view word) {
  uint32_t value = 0;
  for (int byte = 0; byte < 4; ++byte) {
    value = value << 8 | static_cast<unsigned char>(word[byte]);
  }
  return value;
}

struct Checksum {
  uint32_t first = 0;
  uint32_t second = 0;

  bool operator==(const Checksum& other) const {
    return first == other.first && second == other.second;
  }
};

class Wal {
 public:
  explicit Wal(absl::string_view bytes) : bytes_(bytes) {
    big_endian_ = (Word(0) & 1) != 0;
    page_bytes_ = Word(8);
  }

  bool HeaderIsWhole() const {
    return (Word(0) & ~1u) == kMagic && page_bytes_ >= 512 &&
           page_bytes_ <= 65536 &&
           Sum(Checksum{}, bytes_.substr(0, 24)) == StoredAt(24);
  }

  // With the last one, if it is there in part with its salt.
  int64_t frames() const {
    const int64_t rest = bytes_.size() - kHeaderBytes;
    const int64_t whole = rest / frame_bytes();
    return whole + (rest % frame_bytes() >= kFrameHeaderBytes ? 1 : 0);
  }
  int64_t frame_bytes() const { return kFrameHeaderBytes + page_bytes_; }
  int64_t size() const { return bytes_.size(); }
  int64_t StartOf(int64_t frame) const {
    return kHeaderBytes + frame * frame_bytes();
  }

  // Since the log last began at its start; what follows is older.
  bool IsCurrent(int64_t frame) const {
    return bytes_.substr(StartOf(frame) + 8, 8) == bytes_.substr(16, 8);
  }

  bool EndsTransaction(int64_t frame) const {
    return Word(StartOf(frame) + 4) != 0;
  }

  // Whole, and following the one before as that one is stored.
  bool Continues(int64_t frame) const {
    const int64_t start = StartOf(frame);
    if (start + frame_bytes() > size() || Word(start) == 0) return false;
    const Checksum before = StoredAt(frame == 0 ? 24 : StartOf(frame - 1) + 16);
    const Checksum head = Sum(before, bytes_.substr(start, 8));
    return Sum(head, bytes_.substr(start + kFrameHeaderBytes, page_bytes_)) ==
           StoredAt(start + 16);
  }

  // Frames of the log that this header began, although it is not whole.
  bool FramesMatchBrokenHeader() const {
    if (size() < kHeaderBytes + kFrameHeaderBytes) return false;
    const bool first = Word(16) != 0 && Word(16) == Word(kHeaderBytes + 8);
    const bool second = Word(20) != 0 && Word(20) == Word(kHeaderBytes + 12);
    return first || second;
  }

 private:
  uint32_t Word(int64_t offset) const {
    return LoadBigEndian(bytes_.substr(offset, 4));
  }
  Checksum StoredAt(int64_t offset) const {
    return Checksum{Word(offset), Word(offset + 4)};
  }

  // `bytes` are a multiple of 8.
  Checksum Sum(Checksum sum, absl::string_view bytes) const {
    for (size_t at = 0; at < bytes.size(); at += 8) {
      sum.first += Load(bytes.substr(at, 4)) + sum.second;
      sum.second += Load(bytes.substr(at + 4, 4)) + sum.first;
    }
    return sum;
  }
  uint32_t Load(absl::string_view word) const {
    return big_endian_ ? LoadBigEndian(word) : LoadLittleEndian(word);
  }

  absl::string_view bytes_;
  bool big_endian_;
  int64_t page_bytes_;
};

absl::StatusOr<std::string> ReadAll(const std::string& path) {
  std::error_code error;
  const auto size = std::filesystem::file_size(path, error);
  if (error == std::errc::no_such_file_or_directory) return std::string();
  if (error) {
    return absl::ErrnoToStatus(error.value(),
                               absl::StrCat("cannot read ", path));
  }
  std::string bytes(size, '\0');
  std::ifstream file(path, std::ios::binary);
  if (!file.read(bytes.data(), bytes.size())) {
    return absl::ErrnoToStatus(
        errno, absl::StrCat("cannot read the ", size, " B of ", path));
  }
  return bytes;
}

// The frames up to the last whole transaction, as SQLite finds them.
int64_t KeptFrames(const Wal& wal) {
  int64_t kept = 0;
  for (int64_t frame = 0; frame < wal.frames(); ++frame) {
    if (!wal.IsCurrent(frame) || !wal.Continues(frame)) break;
    if (wal.EndsTransaction(frame)) kept = frame + 1;
  }
  return kept;
}

int64_t CurrentFrames(const Wal& wal) {
  int64_t frame = 0;
  while (frame < wal.frames() && wal.IsCurrent(frame)) ++frame;
  return frame;
}

// The end of a transaction that another one follows. The second one began after
// the first was acknowledged, so the first is no interrupted write. (What a
// failed transaction left behind looks alike, but nothing continues it.)
std::optional<int64_t> FollowedTransaction(const Wal& wal, int64_t kept) {
  for (int64_t frame = kept; frame + 1 < wal.frames(); ++frame) {
    if (wal.IsCurrent(frame) && wal.EndsTransaction(frame) &&
        wal.IsCurrent(frame + 1) && wal.Continues(frame + 1)) {
      return frame;
    }
  }
  return std::nullopt;
}

}  // namespace

absl::StatusOr<WalTail> InspectWal(const std::string& path) {
  const absl::StatusOr<std::string> bytes = ReadAll(path);
  if (!bytes.ok()) return bytes.status();
  WalTail tail;
  if (bytes->size() < kHeaderBytes) {
    tail.cut_bytes = bytes->size();
    return tail;
  }
  const Wal wal(*bytes);
  if (!wal.HeaderIsWhole()) {
    if (!wal.FramesMatchBrokenHeader()) return tail;
    return absl::DataLossError(absl::StrCat(path, ": the header is damaged, ",
                                            wal.size(), " B of log follow it"));
  }
  tail.kept_frames = KeptFrames(wal);
  if (auto followed = FollowedTransaction(wal, tail.kept_frames)) {
    return absl::DataLossError(absl::StrCat(
        path, ": the log is good up to byte ", wal.StartOf(tail.kept_frames),
        " only, but a whole transaction ends at byte ",
        wal.StartOf(*followed + 1), " and more follow it"));
  }
  tail.cut_frames = CurrentFrames(wal) - tail.kept_frames;
  tail.cut_bytes = std::min(wal.size(), wal.StartOf(CurrentFrames(wal))) -
                   wal.StartOf(tail.kept_frames);
  return tail;
}

}  // namespace hydra
