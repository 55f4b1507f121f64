#ifndef HYDRA_TESTS_FAULTS_FAULT_FIXTURE_H_
#define HYDRA_TESTS_FAULTS_FAULT_FIXTURE_H_

#include <gtest/gtest.h>
#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "tests/e2e/cluster.h"
#include "tests/e2e/outcome.h"
#include "tests/e2e/small_job.h"

namespace hydra {

// Injects named faults into a real hydrad, and compares what comes out with an
// undisturbed run, bit for bit. Each test prints a row of the table in
// docs/faults.md.
class FaultTest : public testing::Test {
 protected:
  static constexpr int64_t kSteps = 20;
  // Some seconds on a fast machine too: a disturbance meets the training.
  static constexpr int64_t kLongSteps = 300;

  FaultTest();

  // Four shards, kSteps steps.
  const hydra::v1::JobSpec& spec() const { return spec_; }
  // kLongSteps steps.
  hydra::v1::JobSpec LongSpec() const;
  const SmallJobFiles& files() const { return files_; }

  // Two devices. `fail_points` as in common/failpoint/fail_point_rules.h.
  static Cluster::Options Options(const std::string& fail_points = "");
  // Two devices, whose programs have a library of this folder before the C
  // library, and `environment`.
  static Cluster::Options Preloading(const std::string& library,
                                     const std::string& environment);
  // A new file name, for a fail point's marker.
  static std::string Marker();

  // A sweep of jobs that all train like `job`; their ids.
  static std::vector<std::string> SubmitEqualJobs(Cluster& cluster,
                                                  const hydra::v1::JobSpec& job,
                                                  int count);
  static void Cancel(hydra::v1::HydraService::Stub& stub,
                     const std::string& job);
  static void Pause(hydra::v1::HydraService::Stub& stub,
                    const std::string& job);
  static void Resume(hydra::v1::HydraService::Stub& stub,
                     const std::string& job);
  // What its log says, line by line.
  static std::string LogOf(Cluster& cluster, const std::string& job);

  // Whether the job, one of spec() or LongSpec(), is completed with the weights
  // and losses of an undisturbed run, and with its evaluations if they were
  // made at the same steps; a failure of the test if not.
  bool ExpectExact(const hydra::v1::JobDetail& job);

  // Prints a row: "F01: injected ..., seen ..., recovered in 12 ms, exact yes".
  // What does not apply is not given.
  static void Row(const std::string& id, const std::string& injected,
                  const std::string& seen,
                  std::optional<absl::Duration> recovered,
                  std::optional<bool> exact);
  // How long `cluster` takes until `done`.
  static absl::Duration Time(Cluster& cluster,
                             const std::function<bool()>& done);
  // Since a marker was made, as the file system's clock says.
  static absl::Duration Since(const std::string& marker);

 private:
  const Outcome& Undisturbed(bool is_long);

  const SmallJobFiles files_;
  hydra::v1::JobSpec spec_;
};

}  // namespace hydra

#endif  // HYDRA_TESTS_FAULTS_FAULT_FIXTURE_H_
