#ifndef HYDRA_COMMON_IMAGE_CLASS_NAMES_H_
#define HYDRA_COMMON_IMAGE_CLASS_NAMES_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/model/class_labels.h"

// Which class a folder of images means, by its name. Pure.
namespace hydra {

// The names that a model's config.json gives its `class_count` classes
// (ReadClassLabels). Empty if it gives none of its own.
//
// INVALID_ARGUMENT: not JSON (see ParsePythonJson), or a mistake in these
//   names; the message names the key.
absl::StatusOr<ClassNumbers> ClassNamesOf(absl::string_view config_json,
                                          int64_t class_count);

// The classes that the folders of a training split stand for. `named` is of
// ClassNamesOf: then these. Without such names the folders, which are sorted
// and each named once, are numbered in their order, as torchvision's
// ImageFolder does it.
//
// INVALID_ARGUMENT: a folder that is none of `named`, or, without names, not as
//   many folders as classes; the message has both.
absl::StatusOr<ClassNumbers> ClassesOfFolders(
    const ClassNumbers& named, const std::vector<std::string>& folders,
    int64_t class_count);

// Whether each folder is one of `classes`.
//
// INVALID_ARGUMENT: one is not, and which classes there are.
absl::Status CheckFoldersAreClasses(const std::vector<std::string>& folders,
                                    const ClassNumbers& classes);

}  // namespace hydra

#endif  // HYDRA_COMMON_IMAGE_CLASS_NAMES_H_
