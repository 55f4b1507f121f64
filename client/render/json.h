#ifndef HYDRA_CLIENT_RENDER_JSON_H_
#define HYDRA_CLIENT_RENDER_JSON_H_

#include <string>

#include "google/protobuf/message.h"

namespace hydra {

// Protobuf JSON with the field names of the .proto files and without leaving
// out zeros. The first takes one line, the second many; both end in a newline.
std::string JsonLine(const google::protobuf::Message& message);
std::string JsonText(const google::protobuf::Message& message);

}  // namespace hydra

#endif  // HYDRA_CLIENT_RENDER_JSON_H_
