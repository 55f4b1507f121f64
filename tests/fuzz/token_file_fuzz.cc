// The input is a prepared token file. It is read as it is, and once more with
// the header's checksum made right.

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "glog/logging.h"
#include "tests/fuzz/memory_file.h"
#include "common/hash/sha256.h"
#include "worker/data/token_file.h"
#include "worker/data/token_header.h"
#include "worker/task/task_control.h"

namespace hydra {
namespace {

constexpr size_t kChecksumBytes = 8;

void Sign(std::string* file) {
  if (file->size() < TokenHeader::kBytes) return;
  constexpr size_t kSignedBytes = TokenHeader::kBytes - kChecksumBytes;
  Sha256 sha;
  sha.Update(absl::string_view(*file).substr(0, kSignedBytes));
  file->replace(kSignedBytes, kChecksumBytes,
                sha.Finish().substr(0, kChecksumBytes));
}

void Try(absl::string_view bytes) {
  static auto& memory = *new MemoryFile();
  memory.Write(bytes);
  const auto file = TokenFile::Open(memory.path());
  if (!file.ok()) {
    CHECK(absl::IsDataLoss(file.status())) << file.status();
    return;
  }
  CHECK_EQ(file->token_count(),
           (bytes.size() - TokenHeader::kBytes) / sizeof(uint32_t));
  TaskControl control;
  const absl::Status content = file->CheckContent(control);
  CHECK(content.ok() || absl::IsDataLoss(content)) << content;
}

}  // namespace
}  // namespace hydra

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string file(reinterpret_cast<const char*>(data), size);
  hydra::Try(file);
  hydra::Sign(&file);
  hydra::Try(file);
  return 0;
}
