#ifndef HYDRA_WORKER_DATA_IMAGE_IMAGE_CACHE_H_
#define HYDRA_WORKER_DATA_IMAGE_IMAGE_CACHE_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/file/file_access.h"
#include "common/image/class_names.h"
#include "common/image/image_processing.h"
#include "common/model/model_table.h"
#include "worker/data/prepared_examples.h"
#include "worker/task/task_control.h"

// Folders of pictures, one for each class, as prepared files of examples:
// beside those of other data, and found by content as these are. A file's name
// is the SHA-256 of each picture's class and content, in order, of how pictures
// become numbers, and of the version of this code's output; neither names of
// files nor times are in it.
namespace hydra {

// What a job's model and its training folders say of all of its pictures.
struct ImageReading {
  ClassNumbers classes;
  ImageProcessing processing;
};

// `model_dir` may have a preprocessor_config.json; `config_json` is the text of
// the model's config.json, and `input` what it takes. Folders must lie where
// `access` says. Thread-safe; blocks on the disk.
//
// INVALID_ARGUMENT: as ParseImageProcessing, ClassNamesOf and ClassesOfFolders.
// Others: as ReadSplitFolder and OpenInputFile. Errors name the file or the
// folders.
absl::StatusOr<ImageReading> ReadImageReading(
    const std::string& model_dir, absl::string_view config_json,
    const std::vector<std::string>& train_folders, const FileAccess& access,
    const ExampleInput& input);

struct ImageRequest {
  // Created if missing.
  std::string cache_dir;
  // Of a split, at least one: their pictures follow each other in this order,
  // and in each the classes' and then the files' in that of their names' bytes.
  std::vector<std::string> folders;
  // As ReadImageReading's.
  FileAccess access;
  ExampleInput input;
  // ReadImageReading's, of this input.
  ImageReading reading;
};

// Makes the prepared file of `request`, or finds it, as FindOrMakeExamples.
// Reads every picture once to find the name, and once more if the file must be
// made: then each is decoded and made the model's size, in bytes, and the file
// says which numbers these mean. One picture at a time is in memory: as a file,
// as pixels, and as what it is resized by.
//
// A warning says how many entries of the folders were left out since they are
// no pictures, and, when the file is made, in how many pictures a decoder
// passed over damage.
//
// INVALID_ARGUMENT: a folder that is no class, as ReadSplitFolder,
// ListPictures, ReadPictures, DecodeImage and ImageTransform::Apply; no
// folders. FAILED_PRECONDITION: a picture changed meanwhile.
// RESOURCE_EXHAUSTED: the cache's disk has no room for the whole file, which is
// told before anything is written, with both numbers. Others: from the file
// system. Errors name the file. ABORTED: `control` says so, which is told of
// every picture.
absl::StatusOr<PreparedExamples> PrepareImages(const ImageRequest& request,
                                               TaskControl& control);

}  // namespace hydra

#endif  // HYDRA_WORKER_DATA_IMAGE_IMAGE_CACHE_H_
