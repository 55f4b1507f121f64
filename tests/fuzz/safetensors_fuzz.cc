// The input is a safetensors file.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/types/span.h"
#include "common/safetensors/reader.h"
#include "glog/logging.h"
#include "tests/fuzz/fuzz_check.h"
#include "tests/fuzz/memory_file.h"

namespace hydra {
namespace {

using safetensors::Reader;
using safetensors::TensorInfo;

// Tensors lie one behind the other up to the end of the file.
void CheckTable(const Reader& reader, int64_t file_bytes) {
  int64_t begin = -1;
  for (const TensorInfo& tensor : reader.table().tensors()) {
    CHECK_GE(tensor.elements, 0);
    CHECK(begin < 0 || tensor.offset_bytes == begin) << tensor.name;
    begin = tensor.offset_bytes + tensor.size_bytes;
  }
  CHECK(begin < 0 || begin == file_bytes);
}

void ReadAll(const Reader& reader) {
  for (const TensorInfo& tensor : reader.table().tensors()) {
    std::vector<char> bytes(tensor.size_bytes);
    CHECK(reader.Read(tensor.name, 0, tensor.size_bytes, bytes.data()).ok());
    CHECK(absl::IsOutOfRange(
        reader.Read(tensor.name, 1, tensor.size_bytes, bytes.data())));
    // A tensor with a dimension of 0 may have any other ones.
    std::vector<float> numbers(std::min(tensor.elements, tensor.size_bytes));
    CheckSpeaksPlainly(
        reader.ReadAsFloat32(tensor.name, 0, absl::MakeSpan(numbers)));
  }
}

}  // namespace
}  // namespace hydra

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static auto& file = *new hydra::MemoryFile();
  file.Write({reinterpret_cast<const char*>(data), size});
  const auto reader = hydra::safetensors::Reader::Open(file.path());
  hydra::CheckSpeaksPlainly(reader.status());
  if (reader.ok()) {
    hydra::CheckTable(*reader, static_cast<int64_t>(size));
    hydra::ReadAll(*reader);
  }
  return 0;
}
