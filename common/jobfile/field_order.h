#ifndef HYDRA_COMMON_JOBFILE_FIELD_ORDER_H_
#define HYDRA_COMMON_JOBFILE_FIELD_ORDER_H_

#include <map>
#include <string>

#include "absl/strings/string_view.h"
#include "common/jobfile/mistakes.h"
#include "common/jobfile/yaml_tree.h"

namespace hydra {

// Where the fields of a job file stand, one before the other. A plain value.
class FieldOrder {
 public:
  FieldOrder() = default;
  explicit FieldOrder(const YamlNode& root);

  // Sorts mistakes, whoever found them, as their fields stand in the file. Of a
  // field that is not there they come at the end of the section where it
  // belongs, of the input as a whole first. Those of one field stay as they
  // are. A grid's axis stands where the file gives the field itself, if it
  // does. What IsMoreMistakes() stays last.
  void Sort(Mistakes* mistakes) const;

 private:
  struct Place {
    int begin = 0;
    int end = 0;
  };
  void AddNode(const YamlNode& node, const std::string& path);
  void AddChild(const YamlNode& node, const std::string& path);
  int PlaceOf(absl::string_view field) const;

  // By the field's name in a mistake; the whole file is "".
  std::map<std::string, Place, std::less<>> places_;
  int next_ = 0;
};

}  // namespace hydra

#endif  // HYDRA_COMMON_JOBFILE_FIELD_ORDER_H_
