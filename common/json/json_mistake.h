#ifndef HYDRA_COMMON_JSON_JSON_MISTAKE_H_
#define HYDRA_COMMON_JSON_JSON_MISTAKE_H_

#include <string>

#include "absl/strings/string_view.h"

namespace hydra {

// What is wrong with a text that nlohmann's parser refused with the message
// `what`, for people: without the library's terms and its place, which the
// caller knows better. Text of the file is shown as printable.h says. Pure.
std::string JsonMistake(absl::string_view what);

}  // namespace hydra

#endif  // HYDRA_COMMON_JSON_JSON_MISTAKE_H_
