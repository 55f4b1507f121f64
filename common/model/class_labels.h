#ifndef HYDRA_COMMON_MODEL_CLASS_LABELS_H_
#define HYDRA_COMMON_MODEL_CLASS_LABELS_H_

#include <cstdint>
#include <map>
#include <string>

#include "common/model/config_reader.h"

// Which names a model's config.json gives its classes. Pure.
namespace hydra {

// A class's number, by its name.
using ClassNumbers = std::map<std::string, int64_t>;

// Those of label2id, unless transformers made them up and id2label has names of
// the model's own, which some models have there alone; else those of id2label.
// Empty if there are neither, or after a mistake, which `reader`, of the same
// object `config`, takes: a number that is none of the `class_count` classes,
// or two classes of one name.
ClassNumbers ReadClassLabels(const ConfigReader::Json& config,
                             int64_t class_count, ConfigReader& reader);

// Whether there are other names than LABEL_0, LABEL_1 and so on, which
// transformers gives to classes without.
bool HasNamesOfItsOwn(const ClassNumbers& classes);

}  // namespace hydra

#endif  // HYDRA_COMMON_MODEL_CLASS_LABELS_H_
