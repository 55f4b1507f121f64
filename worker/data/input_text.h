#ifndef HYDRA_WORKER_DATA_INPUT_TEXT_H_
#define HYDRA_WORKER_DATA_INPUT_TEXT_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "common/gzip/gunzip.h"
#include "worker/data/posix_file.h"

namespace hydra {

// The text of a data file, from front to end: as it stands there, or unpacked
// where the file is gzip data, whatever its name. Holds some hundred KiB,
// however much text comes out. Not thread-safe.
class InputText {
 public:
  // `file` stands at its start, and must outlive this.
  explicit InputText(PosixFile* file) : file_(*file) {}

  // Reads until `buffer` is full or the text ends; returns the bytes read.
  //
  // INVALID_ARGUMENT: the packed data are damaged or not whole; the message
  //   names the file and the byte in it. Others: as PosixFile::Read.
  absl::StatusOr<int64_t> Read(absl::Span<char> buffer);

 private:
  // The next bytes of the file; none: it has ended.
  absl::Status Fetch();
  absl::StatusOr<int64_t> Unpack(absl::Span<char> buffer);
  absl::Status WithPath(const absl::Status& status) const;

  PosixFile& file_;
  // Null: the file is the text, or nothing was read yet.
  std::unique_ptr<Gunzip> gunzip_;
  bool begun_ = false;
  // What was fetched, and how much of that is done with.
  std::string fetched_;
  size_t done_ = 0;
};

}  // namespace hydra

#endif  // HYDRA_WORKER_DATA_INPUT_TEXT_H_
