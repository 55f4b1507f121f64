#include "worker/session/process_log.h"

#include <unistd.h>

#include <cerrno>

#include "absl/strings/str_cat.h"
#include "glog/logging.h"

namespace hydra {
namespace {

// glog's default is a file for each severity, and a link to each.
void LogToOneFile(const std::string& program, const std::string& directory) {
  const std::string prefix = absl::StrCat(directory, "/", program, ".");
  google::SetLogDestination(google::GLOG_INFO, prefix.c_str());
  google::SetLogSymlink(google::GLOG_INFO, "");
  for (int severity :
       {google::GLOG_WARNING, google::GLOG_ERROR, google::GLOG_FATAL}) {
    google::SetLogDestination(severity, "");
  }
  FLAGS_logbuflevel = -1;
  FLAGS_stderrthreshold = google::GLOG_FATAL;
}

}  // namespace

absl::Status StartProcessLog(const std::string& program,
                             const std::string& directory) {
  if (directory.empty()) {
    FLAGS_logtostderr = true;
  } else if (access(directory.c_str(), W_OK | X_OK) != 0) {
    return absl::ErrnoToStatus(
        errno, absl::StrCat("cannot write a log to ", directory));
  } else {
    LogToOneFile(program, directory);
  }
  // glog keeps the pointer.
  static const std::string* const kept = new std::string(program);
  google::InitGoogleLogging(kept->c_str());
  google::InstallFailureSignalHandler();
  return absl::OkStatus();
}

}  // namespace hydra
