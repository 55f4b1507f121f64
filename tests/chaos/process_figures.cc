#include "tests/chaos/process_figures.h"

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <system_error>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace hydra {
namespace {

namespace fs = std::filesystem;

// The number behind a key of /proc/PID/status.
int64_t NumberOf(const std::string& status, const std::string& key) {
  const size_t found = status.find(absl::StrCat("\n", key, ":"));
  if (found == std::string::npos) return 0;
  return std::atoll(status.c_str() + found + key.size() + 2);
}

std::string ReadAll(const std::string& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

// Of user and system together.
double CpuSeconds(const std::string& stat) {
  // The name, in parentheses, may hold spaces.
  const size_t name_end = stat.rfind(')');
  if (name_end == std::string::npos) return 0;
  const std::vector<std::string> fields =
      absl::StrSplit(stat.substr(name_end + 2), ' ');
  constexpr int kUserTicks = 11;
  if (fields.size() <= kUserTicks + 1) return 0;
  return (std::atof(fields[kUserTicks].c_str()) +
          std::atof(fields[kUserTicks + 1].c_str())) /
         sysconf(_SC_CLK_TCK);
}

}  // namespace

ProcessFigures FiguresOf(pid_t pid) {
  const std::string proc = absl::StrCat("/proc/", pid);
  const std::string status = ReadAll(proc + "/status");
  ProcessFigures figures;
  figures.anonymous_bytes = 1024 * NumberOf(status, "RssAnon");
  figures.shared_bytes =
      1024 * (NumberOf(status, "RssShmem") + NumberOf(status, "RssFile"));
  figures.threads = static_cast<int>(NumberOf(status, "Threads"));
  figures.cpu_seconds = CpuSeconds(ReadAll(proc + "/stat"));
  std::error_code error;
  for (fs::directory_iterator it(proc + "/fd", error), end; it != end;
       it.increment(error)) {
    ++figures.descriptors;
  }
  return figures;
}

bool HasEnded(pid_t child) {
  siginfo_t info = {};
  const int result = waitid(P_PID, child, &info, WEXITED | WNOHANG | WNOWAIT);
  return result != 0 || info.si_pid != 0;
}

int64_t DiskBytes(const std::string& directory) {
  int64_t bytes = 0;
  std::error_code error;
  for (fs::recursive_directory_iterator it(directory, error), end; it != end;
       it.increment(error)) {
    struct stat info;
    if (lstat(it->path().c_str(), &info) == 0) bytes += 512 * info.st_blocks;
  }
  return bytes;
}

}  // namespace hydra
