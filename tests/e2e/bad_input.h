#ifndef HYDRA_TESTS_E2E_BAD_INPUT_H_
#define HYDRA_TESTS_E2E_BAD_INPUT_H_

#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "hydra/v1/hydra.pb.h"
#include "tests/e2e/cluster.h"
#include "tests/e2e/small_job.h"

namespace hydra {

// A good submission with something wrong in it.
struct Submission {
  std::string what;
  std::function<void(hydra::v1::SubmitRequest&)> spoil;
  grpc::StatusCode code = grpc::StatusCode::INVALID_ARGUMENT;
  // Must be part of the answer, and so must all of `more`.
  std::string answer;
  std::vector<std::string> more = {};
};

// Sends bad input to one real hydrad with a device of 16 MiB, and sees that it
// serves on after each. Prints a row of a table of docs/benchmarks.md for each.
class BadInputTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite();
  static void TearDownTestSuite();

  hydra::v1::SubmitRequest Good();
  grpc::Status Submit(const hydra::v1::SubmitRequest& request);
  void ExpectServesOn();
  // And trains.
  void ExpectTrainsOn();
  void Report(const std::string& what, int code, const std::string& answer);
  // With its code.
  void ExpectRefused(const Submission& submission);
  // The job is accepted, and fails by itself.
  void ExpectFails(const Submission& submission);

  // A new file or directory's path, in the cluster's directory.
  static std::string NewPath();
  // A model directory like the fixture, with one file replaced.
  std::string ModelWith(const std::string& file, const std::string& content);
  std::string FileWith(const std::string& content);
  std::string Weights();

  static Cluster* cluster_;
  static SmallJobFiles* files_;

 private:
  static int paths_;
};

}  // namespace hydra

#endif  // HYDRA_TESTS_E2E_BAD_INPUT_H_
