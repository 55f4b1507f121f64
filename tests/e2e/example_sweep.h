#ifndef HYDRA_TESTS_E2E_EXAMPLE_SWEEP_H_
#define HYDRA_TESTS_E2E_EXAMPLE_SWEEP_H_

#include <string>
#include <vector>

#include "hydra/v1/status.pb.h"

namespace hydra {

// A folder of examples/ with a sweep.yaml, in a copy of its own: Bazel's own
// files are links, which lead out of the folder.
class ExampleSweep {
 public:
  // `max_steps`: as the file has it.
  ExampleSweep(const std::string& name, int max_steps);

  const std::string& folder() const { return folder_; }

  // All jobs of the sweep, ended, on two devices with so much memory each: with
  // so many steps in place of the file's, and `more` behind the file. Checks
  // that they leave nothing in the pool. `settings`: of hydrad, beside its
  // pool.
  std::vector<hydra::v1::JobDetail> Train(
      int steps, const std::string& memory, const std::string& more,
      const std::vector<std::string>& settings = {}) const;

 private:
  const std::string folder_;
  const int max_steps_;
};

}  // namespace hydra

#endif  // HYDRA_TESTS_E2E_EXAMPLE_SWEEP_H_
