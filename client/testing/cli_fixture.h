#ifndef HYDRA_CLIENT_TESTING_CLI_FIXTURE_H_
#define HYDRA_CLIENT_TESTING_CLI_FIXTURE_H_

#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "client/cli_context.h"
#include "client/exit_code.h"
#include "client/terminal.h"
#include "client/testing/fake_server.h"
#include "common/file/scratch_directory.h"
#include "gtest/gtest.h"
#include "hydra/v1/hydra.pb.h"

namespace hydra {

inline constexpr char kJobFile[] = R"(
name: tiny
model: {path: models/tiny, init: random}
data: {train_files: [train.txt]}
train: {max_steps: 2, per_device_train_batch_size: 1, learning_rate: 0.001}
)";

// The command line, in a process with a server of its own.
class CliFixture : public ::testing::Test {
 protected:
  // HYDRA_SERVER is the server's address, and kJobFile is at JobFilePath().
  CliFixture();

  // Only the last one's output is kept.
  ExitCode Run(const std::vector<std::string>& arguments);

  std::string JobFilePath() const { return scratch_.path() + "/job.yaml"; }
  std::vector<std::string> OutLines() const;

  static v1::JobStatus Job(const std::string& id, v1::JobState state);
  // The stream of a watch: j1 in this state.
  static Take<v1::WatchResponse> WatchTake(v1::JobState state,
                                           grpc::Status end = {});

  FakeServer server_;
  FakeHydraService& service_ = server_.service();
  ScratchDirectory scratch_;
  std::map<std::string, std::string> environment_;
  Interrupt interrupt_;
  absl::Duration give_up_after_ = absl::Minutes(1);
  // Of `out_`.
  Terminal out_terminal_;
  std::istringstream in_;
  std::ostringstream out_;
  std::ostringstream err_;
};

}  // namespace hydra

#endif  // HYDRA_CLIENT_TESTING_CLI_FIXTURE_H_
