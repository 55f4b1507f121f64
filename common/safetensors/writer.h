#ifndef HYDRA_COMMON_SAFETENSORS_WRITER_H_
#define HYDRA_COMMON_SAFETENSORS_WRITER_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/file/file.h"
#include "common/file/held_directory.h"
#include "common/safetensors/header.h"
#include "common/safetensors/header_text.h"

namespace hydra::safetensors {

// Writes one safetensors file, piece by piece, and puts it into place only when
// it is whole and on the disk: a reader of the path sees the older file, or
// none, until Finish() and the new one from then on, also after a crash.
// (A kill leaves ".safetensors-PID-N.tmp" beside the path.)
//
// What was appended goes to the disk at once, not first in Finish(): of a file
// of any size, only a few tens of MB wait in the page cache, so that others who
// write to that disk do not wait for all of it.
//
// Not thread-safe. Writing blocks on the disk.
class Writer {
 public:
  // Declares the file's tensors in the order of their data, takes the disk
  // space for all of it and writes the header. What transformers writes, and
  // wants to see, is the metadata {"format": "pt"}.
  //
  // INVALID_ARGUMENT: MakeHeaderText() refuses the tensors.
  // RESOURCE_EXHAUSTED: the disk, quota or file size limit has no room.
  // Nothing is left behind.
  static absl::StatusOr<std::unique_ptr<Writer>> Create(
      const HeldDirectory& directory, const std::string& file_name,
      const std::vector<TensorSpec>& tensors,
      const std::map<std::string, std::string>& metadata = {{"format", "pt"}});
  // The same for a path, whose links are followed.
  static absl::StatusOr<std::unique_ptr<Writer>> Create(
      const std::string& path, const std::vector<TensorSpec>& tensors);

  // Removes what was written, unless Finish() succeeded.
  ~Writer();
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  // Of the whole file, header included.
  int64_t file_bytes() const { return file_bytes_; }

  // The next bytes of `tensor`, which must be the first one in order that is
  // not complete yet.
  //
  // FAILED_PRECONDITION: it is another one's turn, or the file is finished.
  // OUT_OF_RANGE: more bytes than the tensor still lacks.
  //   After these two nothing has changed.
  // RESOURCE_EXHAUSTED and others: writing failed; so will every later call.
  absl::Status Append(absl::string_view tensor, const void* data,
                      int64_t bytes);

  // Syncs the file and renames it to its path.
  //
  // FAILED_PRECONDITION: a tensor lacks bytes, or the file is finished already;
  //   nothing has changed.
  // Others: the path still leads to the older file, or, if only syncing the
  //   directory failed, to the new one.
  absl::Status Finish();

 private:
  Writer(HeldDirectory directory, std::string file_name, TensorTable table,
         int64_t file_bytes);

  absl::Status CreateTemporary();
  absl::Status ReserveSpace();
  absl::Status WriteHeader(absl::string_view header);
  absl::Status WriteData(const void* data, int64_t bytes);
  absl::Status WriteBack();
  absl::Status Fail(absl::Status status);
  void SkipCompleteTensors();
  const TensorInfo* Current() const;

  const HeldDirectory directory_;
  const std::string file_name_;  // in directory_
  const std::string path_;
  const TensorTable table_;
  const int64_t file_bytes_;

  std::string temporary_name_;  // in directory_; empty when there is none
  UniqueFd file_;
  int64_t written_bytes_ = 0;
  int64_t write_back_bytes_ = 0;  // of written_bytes_: on the way to the disk
  size_t current_ = 0;            // in table_.tensors()
  absl::Status failure_;          // of an earlier call
  bool finished_ = false;
};

}  // namespace hydra::safetensors

#endif  // HYDRA_COMMON_SAFETENSORS_WRITER_H_
