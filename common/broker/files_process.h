#ifndef HYDRA_COMMON_BROKER_FILES_PROCESS_H_
#define HYDRA_COMMON_BROKER_FILES_PROCESS_H_

#include <sys/types.h>

#include <string>

namespace hydra::broker {

// hydra-files in a process of its own, for tests. It answers this process at
// `socket`, and ends with this. To become other users it needs root's rights.
class FilesProcess {
 public:
  explicit FilesProcess(const std::string& socket);
  ~FilesProcess();
  FilesProcess(const FilesProcess&) = delete;
  FilesProcess& operator=(const FilesProcess&) = delete;

  // May be called again.
  void Kill();

 private:
  pid_t pid_ = -1;
};

}  // namespace hydra::broker

#endif  // HYDRA_COMMON_BROKER_FILES_PROCESS_H_
