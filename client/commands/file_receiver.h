#ifndef HYDRA_CLIENT_COMMANDS_FILE_RECEIVER_H_
#define HYDRA_CLIENT_COMMANDS_FILE_RECEIVER_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "common/file/file.h"
#include "common/file/held_directory.h"
#include "hydra/v1/hydra.pb.h"

namespace hydra {

// Writes the files of a download into a directory, that one whatever its path
// leads to meanwhile, and through no link in it. A file gets its name only when
// all of it has arrived; unfinished ones go away with this object. Not
// thread-safe.
class FileReceiver {
 public:
  // Files that exist are replaced if `overwrite` is set.
  FileReceiver(HeldDirectory directory, bool overwrite);
  ~FileReceiver();
  FileReceiver(const FileReceiver&) = delete;
  FileReceiver& operator=(const FileReceiver&) = delete;

  // Takes the next piece. After an error nothing else may be called.
  //
  // ALREADY_EXISTS: the file exists.
  // DATA_LOSS: the name is no plain file name, or the sizes do not fit.
  // Others, from writing.
  absl::Status Receive(const v1::DownloadResponse& piece);

  // After the last piece. DATA_LOSS: the last file is not complete.
  absl::Status Finish();

  // Names of the finished files.
  const std::vector<std::string>& files() const { return files_; }

 private:
  absl::Status Begin(const v1::DownloadResponse& piece);
  absl::Status End();

  const HeldDirectory directory_;
  const bool overwrite_;
  std::vector<std::string> files_;
  // The file that is being received; no name: none.
  std::string name_;
  std::string temporary_name_;
  UniqueFd file_;
  int64_t received_bytes_ = 0;
  int64_t missing_bytes_ = 0;
};

}  // namespace hydra

#endif  // HYDRA_CLIENT_COMMANDS_FILE_RECEIVER_H_
