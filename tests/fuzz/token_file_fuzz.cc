// The input is a prepared token file. It is read as it is, and twice more with
// the checksum made right of a header of either version.

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "common/hash/sha256.h"
#include "glog/logging.h"
#include "tests/fuzz/memory_file.h"
#include "worker/data/token_file.h"
#include "worker/data/token_header.h"
#include "worker/task/task_control.h"

namespace hydra {
namespace {

constexpr size_t kChecksumBytes = 8;

// As a header of so many bytes.
void Sign(size_t header_bytes, std::string* file) {
  if (file->size() < header_bytes) return;
  const size_t signed_bytes = header_bytes - kChecksumBytes;
  Sha256 sha;
  sha.Update(absl::string_view(*file).substr(0, signed_bytes));
  file->replace(signed_bytes, kChecksumBytes,
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
  const int64_t rows = file->row_count();
  const int64_t header_bytes =
      file->has_marks() ? TokenHeader::kMarkedBytes : TokenHeader::kBytes;
  const bool has_classes =
      file->whole().has_value() && file->whole()->class_count > 0;
  CHECK_EQ(header_bytes + file->token_count() * sizeof(uint32_t) +
               (rows > 0 ? (rows + 1) * sizeof(uint64_t) : 0) +
               (has_classes ? rows * sizeof(int64_t) : 0),
           bytes.size());
  if (rows > 0) {
    const auto row = file->FindRow(rows - 1);
    CHECK(row.ok() || absl::IsDataLoss(row.status())) << row.status();
    if (has_classes) CHECK(file->ReadClass(rows - 1).ok());
  }
  TaskControl control;
  const absl::Status content = file->CheckContent(control);
  CHECK(content.ok() || absl::IsDataLoss(content)) << content;
}

}  // namespace
}  // namespace hydra

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string file(reinterpret_cast<const char*>(data), size);
  hydra::Try(file);
  for (size_t header_bytes :
       {hydra::TokenHeader::kBytes, hydra::TokenHeader::kMarkedBytes}) {
    std::string signed_file = file;
    hydra::Sign(header_bytes, &signed_file);
    hydra::Try(signed_file);
  }
  return 0;
}
