#ifndef HYDRA_COMMON_JOBFILE_IMPORTED_KEY_H_
#define HYDRA_COMMON_JOBFILE_IMPORTED_KEY_H_

#include <string>

namespace hydra {

// What became of one key of another tool's file.
struct ImportedKey {
  enum class Fate {
    // A key of the job file says it.
    kTaken,
    // The file is silent, and the tool does what is not Hydra's default.
    kAssumed,
    // It is not in the job file, and the trained model is the same.
    kLeftOut,
    // The job file trains another model than the tool does, or cannot be
    // submitted before something is done.
    kLost,
  };
  Fate fate;
  // Of the key in the file; 0: it is not there.
  int line = 0;
  // "datasets.path" where it stands in a section or a list of them.
  std::string key;
  // The field of the job file that it is about; empty: there is none.
  std::string field;
  // The value, and what there is to say of it.
  std::string what;
};

}  // namespace hydra

#endif  // HYDRA_COMMON_JOBFILE_IMPORTED_KEY_H_
