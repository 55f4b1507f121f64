#include <filesystem>
#include <memory>
#include <string>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "client/commands/commands.h"
#include "client/commands/file_receiver.h"
#include "client/commands/target.h"
#include "client/commands/verb.h"
#include "client/render/format.h"
#include "common/file/held_directory.h"
#include "common/text/printable.h"

namespace hydra {
namespace {

namespace fs = std::filesystem;

struct DownloadOptions {
  std::string job;
  std::string directory;
  bool force = false;
};

absl::StatusOr<ExitCode> Download(const CliContext& context,
                                  const Invocation& invocation,
                                  const DownloadOptions& options) {
  if (absl::Status status = WantJob(options.job); !status.ok()) return status;
  const auto connection = Connect(context, invocation);
  if (!connection.ok()) return connection.status();
  std::error_code error;
  fs::create_directories(options.directory, error);
  if (error) {
    return absl::ErrnoToStatus(error.value(),
                               absl::StrCat("cannot make ", options.directory));
  }
  // Where it leads is the caller's own choice.
  absl::StatusOr<HeldDirectory> directory =
      HeldDirectory::OpenFollowingLinks(options.directory);
  if (!directory.ok()) return directory.status();
  FileReceiver receiver(*std::move(directory), options.force);
  v1::DownloadRequest request;
  request.set_job_id(options.job);
  absl::Status status =
      (*connection)
          ->Download(request, context.interrupt,
                     [&receiver](const v1::DownloadResponse& piece) {
                       return receiver.Receive(piece);
                     });
  if (status.ok()) status = receiver.Finish();
  for (const std::string& name : receiver.files()) {
    *context.out << options.directory << "/" << Printable(name) << "\n";
  }
  if (!status.ok()) return status;
  return ExitCode::kOk;
}

}  // namespace

void AddDownload(CLI::App* app, Invocation* invocation) {
  const auto options = std::make_shared<DownloadOptions>();
  Verb verb(app, "download",
            "Copy a completed job's model into a directory; prints each file",
            "hydra download j12 ./best-model", invocation,
            [invocation, options](const CliContext& context) {
              return Download(context, *invocation, *options);
            });
  verb.Argument("JOB", &options->job, "The job's id")
      .Argument("DIR", &options->directory, "Made if it does not exist")
      .Flag("--force", &options->force, "Replace files that exist");
}

}  // namespace hydra
