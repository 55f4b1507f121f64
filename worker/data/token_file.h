#ifndef HYDRA_WORKER_DATA_TOKEN_FILE_H_
#define HYDRA_WORKER_DATA_TOKEN_FILE_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "common/file/file.h"
#include "worker/data/token_header.h"
#include "worker/task/task_control.h"

namespace hydra {

// A prepared token file, open for reading. It is read and never mapped: where a
// mapped file becomes shorter, or its disk fails, touching it kills the
// process. Movable. Thread-safe: constant once opened.
class TokenFile {
 public:
  // Checks the header and the file's size, not the ids (see CheckContent).
  //
  // DATA_LOSS: not a whole prepared token file, or the disk fails.
  // INVALID_ARGUMENT: no regular file. NOT_FOUND and others from the file
  // system. Errors name `path`.
  static absl::StatusOr<TokenFile> Open(const std::string& path);

  // As the header says.
  int64_t token_count() const { return header_.token_count; }
  uint32_t max_token_id() const { return header_.max_token_id; }
  // Whether ids may have kUntrainedMark.
  bool has_marks() const { return header_.marked.has_value(); }
  // Of a file with marks.
  const std::optional<MarkedTokens>& marked() const { return header_.marked; }
  // 0: the ids are one long row.
  int64_t row_count() const {
    return has_marks() ? header_.marked->row_count : 0;
  }
  // Of rows that are taken whole.
  std::optional<WholeRows> whole() const {
    return has_marks() ? header_.marked->whole : std::nullopt;
  }

  // SHA-256 of the content behind the header, as lower-case hexadecimal digits.
  std::string content_hash() const;

  const std::string& path() const { return path_; }

  // Reads the ids from number `first` on until `ids` is full, with their marks.
  // Requires that the header tells of so many.
  //
  // DATA_LOSS: the file has become shorter since it was opened, or the disk
  //   fails. `ids` then has any content. The message names the file.
  absl::Status Read(int64_t first, absl::Span<uint32_t> ids) const;

  // The ids [begin, end) of a row.
  struct Row {
    int64_t row = 0;
    int64_t begin = 0;
    int64_t end = 0;
  };
  // Requires 0 <= row < row_count(). DATA_LOSS: it says what cannot be, or as
  // Read.
  absl::StatusOr<Row> FindRow(int64_t row) const;
  // Of whole rows that have classes. Requires 0 <= row < row_count(). Errors:
  // as Read.
  absl::StatusOr<int64_t> ReadClass(int64_t row) const;
  // The row that has the id number `index`. Requires a row_count() above 0, and
  // that there is such an id. Errors: as FindRow.
  absl::StatusOr<Row> RowWith(int64_t index) const;

  struct Position {
    int64_t index = 0;
    uint32_t id = 0;  // Without its mark.
  };
  // The first id at or above `limit`, if there is one. Reads the ids before it.
  // Errors: as Read.
  absl::StatusOr<std::optional<Position>> FindIdFrom(int64_t limit) const;

  // Reads all that is behind the header and tells `control` of each piece.
  // DATA_LOSS: it is not what the header vouches for, or as Read. ABORTED:
  // `control` says so.
  absl::Status CheckContent(TaskControl& control) const;

 private:
  TokenFile(std::string path, TokenHeader header, UniqueFd fd);

  std::string path_;
  TokenHeader header_;
  UniqueFd fd_;
};

}  // namespace hydra

#endif  // HYDRA_WORKER_DATA_TOKEN_FILE_H_
