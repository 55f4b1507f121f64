#ifndef HYDRA_WORKER_DATA_TOKEN_FILE_H_
#define HYDRA_WORKER_DATA_TOKEN_FILE_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "worker/data/token_header.h"

namespace hydra {

// A prepared token file, mapped for reading. Pages come in as they are touched.
// Movable. Thread-safe: constant once opened.
class TokenFile {
 public:
  // Checks the header and the file's size, not the ids (see CheckContent).
  //
  // DATA_LOSS: not a whole prepared token file. NOT_FOUND and others from the
  // file system. Errors name `path`.
  static absl::StatusOr<TokenFile> Open(const std::string& path);

  TokenFile(TokenFile&& other) noexcept;
  TokenFile& operator=(TokenFile&& other) noexcept;
  ~TokenFile();

  // Valid as long as this object, wherever it is moved.
  absl::Span<const uint32_t> tokens() const;

  const std::string& path() const { return path_; }

  // As the header says.
  uint32_t max_token_id() const { return header_.max_token_id; }

  // SHA-256 of the ids' bytes, as lower-case hexadecimal digits.
  std::string content_hash() const;

  // Reads all ids. DATA_LOSS: they are not those that the header vouches for.
  absl::Status CheckContent() const;

 private:
  TokenFile(std::string path, TokenHeader header, void* mapping);

  std::string path_;
  TokenHeader header_;
  void* mapping_;  // Whole file, or null after a move.
};

}  // namespace hydra

#endif  // HYDRA_WORKER_DATA_TOKEN_FILE_H_
