#include "scheduler/storage/event_frame.h"

#include "absl/strings/str_cat.h"
#include "common/hash/crc32c.h"

namespace hydra {
namespace {

constexpr int64_t kLengthBytes = 8;
constexpr int64_t kSumBytes = 4;
constexpr uint64_t kMostDataBytes = 1 << 20;

std::string LittleEndian(uint64_t number, int64_t bytes) {
  std::string text;
  for (int64_t i = 0; i < bytes; ++i) {
    text += static_cast<char>(number >> (8 * i) & 0xff);
  }
  return text;
}

uint64_t FromLittleEndian(absl::string_view text) {
  uint64_t number = 0;
  for (size_t i = text.size(); i > 0; --i) {
    number = number << 8 | static_cast<unsigned char>(text[i - 1]);
  }
  return number;
}

// Whether the last four bytes are the sum of those before.
bool HasItsSum(absl::string_view bytes) {
  const size_t data = bytes.size() - kSumBytes;
  return FromLittleEndian(bytes.substr(data)) ==
         MaskedCrc32c(bytes.substr(0, data));
}

}  // namespace

uint32_t MaskedCrc32c(absl::string_view bytes) {
  const uint32_t sum = Crc32c(bytes);
  return (sum >> 15 | sum << 17) + 0xa282ead8;
}

std::string EventFrame(absl::string_view data) {
  const std::string length = LittleEndian(data.size(), kLengthBytes);
  return absl::StrCat(length, LittleEndian(MaskedCrc32c(length), kSumBytes),
                      data, LittleEndian(MaskedCrc32c(data), kSumBytes));
}

absl::StatusOr<int64_t> ForEachEventFrame(
    const UniqueFd& file, absl::string_view path,
    absl::FunctionRef<void(absl::string_view data)> visit) {
  const absl::StatusOr<int64_t> bytes = FileBytes(file, path);
  if (!bytes.ok()) return bytes;
  int64_t done = 0;
  std::string head(kLengthBytes + kSumBytes, '\0');
  std::string body;
  while (*bytes - done >= static_cast<int64_t>(head.size())) {
    absl::Status read = ReadExactly(file, path, done, head.size(), head.data());
    if (!read.ok()) return read;
    const uint64_t length = FromLittleEndian(head.substr(0, kLengthBytes));
    const auto body_bytes = static_cast<int64_t>(length) + kSumBytes;
    const int64_t begin = done + static_cast<int64_t>(head.size());
    if (!HasItsSum(head) || length > kMostDataBytes ||
        body_bytes > *bytes - begin) {
      break;
    }
    body.resize(body_bytes);
    read = ReadExactly(file, path, begin, body_bytes, body.data());
    if (!read.ok()) return read;
    if (!HasItsSum(body)) break;
    visit(absl::string_view(body).substr(0, length));
    done = begin + body_bytes;
  }
  return done;
}

}  // namespace hydra
