#include "worker/data/token_writer.h"

#include <algorithm>
#include <string>

#include "worker/data/token_header.h"

namespace hydra {

absl::Status TokenWriter::Begin() {
  return file_.Write(std::string(TokenHeader::kBytes, '\0'));
}

absl::Status TokenWriter::Append(absl::Span<const uint32_t> ids) {
  if (ids.empty()) return absl::OkStatus();
  token_count_ += ids.size();
  max_token_id_ =
      std::max(max_token_id_, *std::max_element(ids.begin(), ids.end()));
  const absl::string_view bytes(reinterpret_cast<const char*>(ids.data()),
                                ids.size() * sizeof(uint32_t));
  sha_.Update(bytes);
  return file_.Write(bytes);
}

absl::Status TokenWriter::Finish() {
  TokenHeader header;
  header.token_count = token_count_;
  header.max_token_id = max_token_id_;
  header.content_hash = sha_.Finish();
  const absl::Status written = file_.WriteAt(EncodeTokenHeader(header), 0);
  if (!written.ok()) return written;
  return file_.Sync();
}

}  // namespace hydra
