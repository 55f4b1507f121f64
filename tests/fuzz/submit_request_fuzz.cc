// The input is a SubmitRequest as it comes over the wire, with a job as
// messages or as the text of a job file.

#include <cstddef>
#include <cstdint>
#include <vector>

#include "hydra/v1/hydra.pb.h"
#include "scheduler/submission/asked_jobs.h"
#include "tests/fuzz/fuzz_check.h"
#include "tests/fuzz/validate_jobs.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  hydra::v1::SubmitRequest request;
  if (!request.ParseFromArray(data, static_cast<int>(size))) return 0;
  const auto asked = hydra::AskedJobs::Of(request);
  hydra::CheckSpeaksPlainly(asked.status());
  if (!asked.ok()) return 0;
  if (!asked->is_whole()) {
    hydra::CheckSpeaksPlainly(
        asked
            ->Checked([](const hydra::v1::SubmitRequest&) {
              return absl::StatusOr<std::vector<hydra::NewJob>>(
                  std::vector<hydra::NewJob>());
            })
            .status());
    return 0;
  }
  const hydra::v1::SubmitRequest& messages = asked->messages();
  const std::vector<hydra::v1::GridAxis> grid(messages.grid().begin(),
                                              messages.grid().end());
  hydra::ExpandAndValidate(messages.job(), grid);
  return 0;
}
