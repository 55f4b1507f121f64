#ifndef HYDRA_COMMON_FILE_FILE_ACCESS_H_
#define HYDRA_COMMON_FILE_FILE_ACCESS_H_

#include <string>
#include <vector>

#include "common/file/file_user.h"

namespace hydra {

// Which files a job may read. A value.
struct FileAccess {
  // As whom they are opened.
  FileUser user;
  // Below which directories they must lie, as RealRoots() gives them.
  std::vector<std::string> real_roots = {"/"};
};

}  // namespace hydra

#endif  // HYDRA_COMMON_FILE_FILE_ACCESS_H_
