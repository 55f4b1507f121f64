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
constexpr int64_t kPieceBytes = kPieceIds * kIdBytes;
// Of a number in the index of rows, and of a row's class.
constexpr int64_t kRowBytes = sizeof(uint64_t);

absl::StatusOr<TokenHeader> ReadHeader(const UniqueFd& fd,
                                       const std::string& path,
                                       int64_t size_bytes) {
  std::string bytes(std::min(size_bytes, TokenHeader::kMarkedBytes), '\0');
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

// Where the index of rows begins, if there is one.
int64_t IdsEnd(const TokenHeader& header) {
  return header.bytes() + header.token_count * kIdBytes;
}

// Where the rows' classes begin, if they have any.
int64_t IndexEnd(const TokenHeader& header) {
  const bool has_rows =
      header.marked.has_value() && header.marked->row_count > 0;
  return IdsEnd(header) +
         (has_rows ? (header.marked->row_count + 1) * kRowBytes : 0);
}

int64_t BytesOf(const TokenHeader& header) {
  const bool has_classes = header.marked.has_value() &&
                           header.marked->whole.has_value() &&
                           header.marked->whole->class_count > 0;
  return IndexEnd(header) +
         (has_classes ? header.marked->row_count * kRowBytes : 0);
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
  return ReadExactly(fd_, path_, header_.bytes() + first * kIdBytes,
                     count * kIdBytes, ids.data());
}

absl::StatusOr<TokenFile::Row> TokenFile::FindRow(int64_t row) const {
  CHECK(row >= 0 && row < row_count()) << row << " of " << row_count();
  uint64_t ends[2];
  const absl::Status read =
      ReadExactly(fd_, path_, IdsEnd(header_) + row * kRowBytes, sizeof(ends),
                  reinterpret_cast<char*>(ends));
  if (!read.ok()) return read;
  if (ends[0] > ends[1] || ends[1] > static_cast<uint64_t>(token_count())) {
    return absl::DataLossError(absl::StrCat(path_, " has a row ", row,
                                            " of the ids ", ends[0], " to ",
                                            ends[1], ", of ", token_count()));
  }
  return Row{row, static_cast<int64_t>(ends[0]), static_cast<int64_t>(ends[1])};
}

absl::StatusOr<int64_t> TokenFile::ReadClass(int64_t row) const {
  CHECK(whole().has_value() && whole()->class_count > 0);
  CHECK(row >= 0 && row < row_count()) << row << " of " << row_count();
  int64_t row_class = 0;
  const absl::Status read =
      ReadExactly(fd_, path_, IndexEnd(header_) + row * kRowBytes,
                  sizeof(row_class), reinterpret_cast<char*>(&row_class));
  if (!read.ok()) return read;
  return row_class;
}

absl::StatusOr<TokenFile::Row> TokenFile::RowWith(int64_t index) const {
  CHECK(row_count() > 0 && index >= 0 && index < token_count());
  int64_t first = 0;
  int64_t last = row_count() - 1;
  while (first < last) {
    const int64_t middle = first + (last - first) / 2;
    const absl::StatusOr<Row> row = FindRow(middle);
    if (!row.ok()) return row;
    if (row->end > index) {
      last = middle;
    } else {
      first = middle + 1;
    }
  }
  return FindRow(first);
}

absl::StatusOr<std::optional<TokenFile::Position>> TokenFile::FindIdFrom(
    int64_t limit) const {
  const uint32_t mark = header_.marks();
  std::vector<uint32_t> ids;
  for (int64_t first = 0; first < token_count(); first += kPieceIds) {
    const absl::Status read = ReadPiece(*this, first, &ids);
    if (!read.ok()) return read;
    const auto found = std::find_if(ids.begin(), ids.end(), [&](uint32_t id) {
      return static_cast<int64_t>(id & ~mark) >= limit;
    });
    if (found != ids.end()) {
      return Position{first + (found - ids.begin()), *found & ~mark};
    }
  }
  return std::nullopt;
}

absl::Status TokenFile::CheckContent(TaskControl& control) const {
  Sha256 sha;
  std::string piece;
  const int64_t end_bytes = BytesOf(header_);
  for (int64_t at = header_.bytes(); at < end_bytes; at += kPieceBytes) {
    if (absl::Status on = control.Advance(); !on.ok()) return on;
    piece.resize(std::min(kPieceBytes, end_bytes - at));
    const absl::Status read = ReadExactly(
        fd_, path_, at, static_cast<int64_t>(piece.size()), &piece[0]);
    if (!read.ok()) return read;
    sha.Update(piece);
  }
  if (sha.Finish() != header_.content_hash) {
    return absl::DataLossError(
        absl::StrCat(path_, " has ids that fail their checksum"));
  }
  return absl::OkStatus();
}

}  // namespace hydra
