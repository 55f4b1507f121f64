// The input is a SubmitRequest as it comes over the wire.

#include <cstddef>
#include <cstdint>
#include <vector>

#include "hydra/v1/hydra.pb.h"
#include "tests/fuzz/validate_jobs.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  hydra::v1::SubmitRequest request;
  if (!request.ParseFromArray(data, static_cast<int>(size))) return 0;
  const std::vector<hydra::v1::GridAxis> grid(request.grid().begin(),
                                              request.grid().end());
  hydra::ExpandAndValidate(request.job(), grid);
  return 0;
}
