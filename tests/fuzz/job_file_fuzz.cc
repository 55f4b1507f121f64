// The input is a job file.

#include <cstddef>
#include <cstdint>

#include "absl/strings/string_view.h"
#include "common/jobfile/job_file.h"
#include "tests/fuzz/fuzz_check.h"
#include "tests/fuzz/validate_jobs.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  auto file = hydra::ParseJobFile({reinterpret_cast<const char*>(data), size});
  hydra::CheckSpeaksPlainly(file.status());
  if (!file.ok()) return 0;
  hydra::MakePathsAbsolute("/base", &*file);
  hydra::ExpandAndValidate(file->job, file->grid);
  return 0;
}
