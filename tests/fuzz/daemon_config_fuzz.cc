// The input is the daemon's configuration file.

#include <cstddef>
#include <cstdint>

#include "absl/strings/string_view.h"
#include "common/jobfile/daemon_config.h"
#include "tests/fuzz/fuzz_check.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view text(reinterpret_cast<const char*>(data), size);
  hydra::CheckSpeaksPlainly(hydra::ParseDaemonConfig(text).status());
  return 0;
}
