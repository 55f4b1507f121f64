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

  // What two trainings of the sweep must have in common.
  struct Comparison {
    int jobs;
    int steps;
    // Of each device; where nothing must be cut, that of the second training.
    std::string memory;
    std::string whole_memory;
    // Of each job, at its end.
    int evaluations;
    // Behind the file of the first training.
    std::string more = "";
    // As Train's, of both.
    std::vector<std::string> settings = {};
  };
  // A job, and the same one in one piece.
  struct Pair {
    hydra::v1::JobDetail job;
    hydra::v1::JobDetail whole;
  };
  // The jobs in the order of the sweep, trained with the memory of the
  // example's README.md and again in one piece. Checks that all complete
  // without a warning, with the same bits. None, if a job did not complete.
  std::vector<Pair> TrainAlsoInOnePiece(const Comparison& wanted) const;

 private:
  const std::string folder_;
  const int max_steps_;
};

}  // namespace hydra

#endif  // HYDRA_TESTS_E2E_EXAMPLE_SWEEP_H_
