#include "client/testing/cli_fixture.h"

#include <fstream>
#include <optional>
#include <utility>

#include "absl/strings/str_split.h"
#include "client/cli.h"

namespace hydra {

CliFixture::CliFixture() {
  environment_["HYDRA_SERVER"] = server_.address();
  std::ofstream(JobFilePath()) << kJobFile;
}

ExitCode CliFixture::Run(const std::vector<std::string>& arguments) {
  out_.str("");
  err_.str("");
  CliContext context;
  context.in = &in_;
  context.out = &out_;
  context.err = &err_;
  context.out_terminal = out_terminal_;
  context.getenv = [this](const char* name) -> std::optional<std::string> {
    const auto it = environment_.find(name);
    if (it == environment_.end()) return std::nullopt;
    return it->second;
  };
  context.interrupt = &interrupt_;
  context.reconnect.first_pause = absl::Milliseconds(1);
  context.reconnect.give_up_after = give_up_after_;
  return RunCli(arguments, context);
}

std::vector<std::string> CliFixture::OutLines() const {
  return absl::StrSplit(out_.str(), '\n', absl::SkipEmpty());
}

v1::JobStatus CliFixture::Job(const std::string& id, v1::JobState state) {
  v1::JobStatus job;
  job.set_job_id(id);
  job.set_sweep_id("s1");
  job.set_name("tiny");
  job.set_state(state);
  return job;
}

Take<v1::WatchResponse> CliFixture::WatchTake(v1::JobState state,
                                              grpc::Status end) {
  Take<v1::WatchResponse> take;
  *take.messages.emplace_back().add_jobs() = Job("j1", state);
  take.end = std::move(end);
  return take;
}

}  // namespace hydra
