#include "client/render/plan.h"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "client/commands/commands.h"
#include "client/commands/print_reply.h"
#include "client/commands/submit_request.h"
#include "client/commands/submit_warnings.h"
#include "client/commands/verb.h"
#include "client/output.h"
#include "common/jobfile/byte_size.h"

namespace hydra {
namespace {

struct PlanOptions {
  std::string file;
  std::vector<std::string> device_memory;
  OutputFormat format = OutputFormat::kTable;
};

absl::StatusOr<ExitCode> Plan(const CliContext& context,
                              const Invocation& invocation,
                              const PlanOptions& options) {
  std::vector<int64_t> device_memory_bytes;
  for (const std::string& text : options.device_memory) {
    const absl::StatusOr<int64_t> bytes = ParseByteSize(text);
    if (!bytes.ok()) {
      return absl::InvalidArgumentError(
          absl::StrCat("--device-memory: ", bytes.status().message()));
    }
    device_memory_bytes.push_back(*bytes);
  }
  auto file = LoadSubmitRequest(context, options.file);
  if (!file.ok()) return file.status();
  const auto connection = Connect(context, invocation);
  if (!connection.ok()) return NotAsked(*file, connection.status());
  const absl::StatusOr<v1::PlanResponse> response =
      hydra::Plan(*file, device_memory_bytes, connection->get());
  if (!response.ok()) return response.status();
  PrintReply(
      context, options.format, *response,
      [&] {
        return RenderPlan(*response, OutWidth(context),
                          context.out_terminal.color);
      },
      [] { return std::vector<std::string>(); });
  context.out->flush();
  PrintWarnings(context, response->warnings());
  return ExitCode::kOk;
}

}  // namespace

void AddPlan(CLI::App* app, Invocation* invocation) {
  const auto options = std::make_shared<PlanOptions>();
  Verb verb(app, "plan", "What a job file's jobs will take, before they run",
            "hydra plan sweep.yaml --device-memory 24GiB,80GiB", invocation,
            [invocation, options](const CliContext& context) {
              return Plan(context, *invocation, *options);
            });
  verb.Argument("FILE", &options->file, "The job file; - is standard input")
      .ListOption("--device-memory", "SIZES", &options->device_memory,
                  "Memory limits to plan for; else the server's devices'")
      .OutputOption(&options->format, /*has_ids=*/false);
}

}  // namespace hydra
