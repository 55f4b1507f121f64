#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "client/commands/commands.h"
#include "client/commands/text_file.h"
#include "client/commands/verb.h"
#include "common/file/working_directory.h"
#include "common/jobfile/import_job.h"
#include "common/jobfile/import_report.h"
#include "common/text/printable.h"

namespace hydra {
namespace {

namespace fs = std::filesystem;

struct ImportCommand {
  std::string file;
  // None: standard output.
  std::optional<std::string> job_file;
  // None: the working directory.
  std::optional<std::string> base;
  bool anyway = false;
};

// Relative paths of the tools' files count from where the tool is started.
absl::StatusOr<ImportOptions> OptionsOf(const CliContext& context,
                                        const ImportCommand& command) {
  const absl::StatusOr<std::string> base = command.base.has_value()
                                               ? AbsoluteFromHere(*command.base)
                                               : WorkingDirectory();
  if (!base.ok()) return base.status();
  ImportOptions options;
  options.base_dir = *base;
  options.exists = [](const std::string& path) {
    std::error_code ignored;
    return fs::exists(path, ignored);
  };
  options.read = [&context](const std::string& path) {
    return ReadTextFile(context, path);
  };
  if (!command.job_file.has_value()) return options;
  const absl::StatusOr<std::string> target =
      AbsoluteFromHere(*command.job_file);
  if (!target.ok()) return target.status();
  std::error_code ignored;
  options.keep_relative =
      fs::equivalent(fs::path(*target).parent_path(), *base, ignored);
  return options;
}

// The file gets its name when all of it is there. One that exists may have been
// edited.
absl::Status Write(const std::string& text, const std::string& path) {
  const auto error = [](const std::string& what) {
    return absl::ErrnoToStatus(errno, absl::StrCat("cannot write ", what));
  };
  std::error_code ignored;
  if (fs::exists(fs::symlink_status(path, ignored))) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, " exists; remove it, or give another name"));
  }
  const std::string part = path + ".part";
  std::ofstream out(part, std::ios::binary | std::ios::trunc);
  if (!out) return error(part);
  out << text;
  out.close();
  absl::Status status;
  if (!out) status = error(part);
  if (status.ok() && rename(part.c_str(), path.c_str()) != 0) {
    status = error(path);
  }
  if (!status.ok()) (void)remove(part.c_str());
  return status;
}

absl::StatusOr<ExitCode> Import(const CliContext& context,
                                const ImportCommand& command) {
  const absl::StatusOr<std::string> text = ReadTextFile(context, command.file);
  if (!text.ok()) return text.status();
  const absl::StatusOr<ImportOptions> options = OptionsOf(context, command);
  if (!options.ok()) return options.status();
  const absl::StatusOr<ImportedJob> job = ImportJob(*text, *options);
  if (!job.ok()) {
    return absl::Status(job.status().code(),
                        absl::StrCat(command.file, " cannot be read\n",
                                     job.status().message()));
  }
  const std::string yaml = ImportedYaml(*job);
  if (command.job_file.has_value()) {
    const absl::Status written = Write(yaml, *command.job_file);
    if (!written.ok()) return written;
    *context.out << Printable(*command.job_file) << "\n";
  } else {
    *context.out << yaml;
  }
  *context.err << ImportReport(*job);
  if (!job->mistakes.empty()) {
    *context.err << "hydra: the job file cannot be submitted yet: something is "
                    "wrong or missing\n";
    return ExitCode::kInvalid;
  }
  if (command.anyway || !TrainsAnother(*job)) return ExitCode::kOk;
  *context.err << "hydra: the job file does not do what " << job->tool
               << " would; with --anyway that is no error\n";
  return ExitCode::kFailed;
}

}  // namespace

void AddImport(CLI::App* app, Invocation* invocation) {
  const auto command = std::make_shared<ImportCommand>();
  Verb verb(app, "import",
            "Write a job file from a configuration of LLaMA-Factory, Axolotl, "
            "TRL or transformers",
            "hydra import llama3_sft.yaml -o job.yaml", invocation,
            [command](const CliContext& context) {
              return Import(context, *command);
            });
  verb.Argument("FILE", &command->file,
                "The configuration, YAML or JSON; - is standard input")
      .Option("-o,--output", "JOB.yaml", &command->job_file,
              "Where the job file is written (default: standard output)")
      .Option("--base", "DIR", &command->base,
              "Where relative paths of FILE start (default: the working "
              "directory, as for those tools)")
      .Flag("--anyway", &command->anyway,
            "Keys that change the result and have no counterpart are no error");
}

}  // namespace hydra
