#include "client/render/describe.h"

#include <memory>
#include <string>
#include <vector>

#include "client/commands/commands.h"
#include "client/commands/print_reply.h"
#include "client/commands/target.h"
#include "client/commands/verb.h"
#include "common/jobfile/job_fields.h"
#include "common/jobfile/job_yaml.h"

namespace hydra {
namespace {

struct DescribeOptions {
  std::string job;
  bool job_file = false;
  OutputFormat format = OutputFormat::kTable;
};

absl::StatusOr<ExitCode> Describe(const CliContext& context,
                                  const Invocation& invocation,
                                  const DescribeOptions& options) {
  if (absl::Status status = WantJob(options.job); !status.ok()) return status;
  const auto connection = Connect(context, invocation);
  if (!connection.ok()) return connection.status();
  v1::GetJobRequest request;
  request.set_job_id(options.job);
  const auto response = (*connection)->GetJob(request);
  if (!response.ok()) return response.status();
  if (options.job_file) {
    *context.out << JobYaml(FieldsOf(response->job().spec()));
    return ExitCode::kOk;
  }
  PrintReply(
      context, options.format, *response,
      [&] {
        return RenderJobDetail(response->job(), OutWidth(context),
                               context.out_terminal.color,
                               absl::LocalTimeZone());
      },
      [&] {
        return std::vector<std::string>{response->job().status().job_id()};
      });
  return ExitCode::kOk;
}

}  // namespace

void AddDescribe(CLI::App* app, Invocation* invocation) {
  const auto options = std::make_shared<DescribeOptions>();
  Verb verb(app, "describe", "Show all that is known of a job",
            "hydra describe j12", invocation,
            [invocation, options](const CliContext& context) {
              return Describe(context, *invocation, *options);
            });
  verb.Argument("JOB", &options->job, "The job's id")
      .Flag("--job-file", &options->job_file,
            "Only its job file, with every default, as it can be submitted "
            "again")
      .OutputOption(&options->format);
}

}  // namespace hydra
