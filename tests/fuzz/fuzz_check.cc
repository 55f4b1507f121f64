#include "tests/fuzz/fuzz_check.h"

#include <cstddef>

#include "glog/logging.h"
#include "google/protobuf/stubs/common.h"

namespace hydra {
namespace {

constexpr size_t kLongestMessageBytes = 64 << 10;

}  // namespace

void CheckBlamesTheInput(const absl::Status& status) {
  if (status.ok()) return;
  CHECK(!status.message().empty()) << status;
  CHECK_LE(status.message().size(), kLongestMessageBytes);
  CHECK(!absl::IsInternal(status) && !absl::IsUnknown(status)) << status;
}

void CheckSpeaksPlainly(const absl::Status& status) {
  CheckBlamesTheInput(status);
  CHECK(google::protobuf::internal::IsStructurallyValidUTF8(
      status.message().data(), static_cast<int>(status.message().size())))
      << status;
}

}  // namespace hydra
