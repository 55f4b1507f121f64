#include <cerrno>
#include <cstdio>
#include <fstream>
#include <memory>
#include <optional>
#include <ostream>
#include <string>

#include "absl/strings/str_cat.h"
#include "client/commands/commands.h"
#include "client/commands/target.h"
#include "client/commands/verb.h"
#include "client/output.h"
#include "client/render/trace_json.h"
#include "common/status/proto_time.h"
#include "common/text/printable.h"

namespace hydra {
namespace {

struct TraceOptions {
  std::string target;
  // None: standard output.
  std::optional<std::string> file;
};

absl::Status FileError(const std::string& what) {
  return absl::ErrnoToStatus(errno, absl::StrCat("cannot write ", what));
}

// What a reader of the trace should know of it.
struct Received {
  int64_t tasks = 0;
  // Tasks of the target that ended before this are not there.
  std::optional<absl::Time> incomplete_until;
};

absl::StatusOr<Received> Receive(const CliContext& context,
                                 const TraceOptions& options,
                                 Connection& connection, std::ostream& out) {
  v1::TraceRequest request;
  const absl::Status set = SetTarget(options.target, &request);
  if (!set.ok()) return set;
  TraceJson json(&out);
  Received received;
  const absl::Status status = connection.Trace(
      request, context.interrupt, [&](const v1::TraceResponse& message) {
        json.Add(message);
        const absl::Time since = FromProto(message.complete_since());
        for (const v1::JobStatus& job : message.jobs()) {
          if (job.has_started_at() && FromProto(job.started_at()) < since) {
            received.incomplete_until = since;
          }
        }
        return out.good() ? absl::OkStatus() : FileError("the trace");
      });
  if (!status.ok()) return status;
  json.Finish();
  received.tasks = json.tasks();
  return received;
}

// The file gets its name when all of it is there.
absl::StatusOr<Received> ReceiveFile(const CliContext& context,
                                     const TraceOptions& options,
                                     Connection& connection) {
  const std::string part = *options.file + ".part";
  std::ofstream out(part, std::ios::binary | std::ios::trunc);
  if (!out) return FileError(part);
  absl::StatusOr<Received> received =
      Receive(context, options, connection, out);
  out.close();
  if (received.ok() && !out) received = FileError(part);
  if (received.ok() && rename(part.c_str(), options.file->c_str()) != 0) {
    received = FileError(*options.file);
  }
  if (!received.ok()) (void)remove(part.c_str());
  return received;
}

absl::StatusOr<ExitCode> Trace(const CliContext& context,
                               const Invocation& invocation,
                               const TraceOptions& options) {
  const absl::Status is_target = ParseTarget(options.target).status();
  if (!is_target.ok()) return is_target;
  const auto connection = Connect(context, invocation);
  if (!connection.ok()) return connection.status();
  const absl::StatusOr<Received> received =
      options.file.has_value()
          ? ReceiveFile(context, options, **connection)
          : Receive(context, options, **connection, *context.out);
  if (!received.ok()) return received.status();
  if (received->incomplete_until.has_value()) {
    *context.err << "hydra: tasks of " << options.target
                 << " that ended before "
                 << absl::FormatTime("%Y-%m-%d %H:%M:%S",
                                     *received->incomplete_until,
                                     absl::LocalTimeZone())
                 << " are not in it: the server keeps the newest ones of all "
                    "jobs, and none across its own restart\n";
  }
  if (options.file.has_value()) {
    *context.out << Printable(*options.file) << ": " << received->tasks
                 << " task(s); ui.perfetto.dev opens it\n";
  }
  return ExitCode::kOk;
}

}  // namespace

void AddTrace(CLI::App* app, Invocation* invocation) {
  const auto options = std::make_shared<TraceOptions>();
  Verb verb(app, "trace",
            "Write where the devices' time went, for ui.perfetto.dev",
            "hydra trace s3 -o s3.json", invocation,
            [invocation, options](const CliContext& context) {
              return Trace(context, *invocation, *options);
            });
  verb.Argument("SWEEP|JOB", &options->target, "What to trace")
      .Option("-o,--output", "FILE", &options->file,
              "Where it is written (default: standard output)");
}

}  // namespace hydra
