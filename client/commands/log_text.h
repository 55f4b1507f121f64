#ifndef HYDRA_CLIENT_COMMANDS_LOG_TEXT_H_
#define HYDRA_CLIENT_COMMANDS_LOG_TEXT_H_

#include <string>

#include "absl/time/time.h"
#include "hydra/v1/hydra.pb.h"

namespace hydra {

// "2026-11-22 18:04:05.123 I cpu:0 step 17: text", escaped. Pure.
std::string LogText(const v1::LogLine& line, absl::TimeZone zone);

}  // namespace hydra

#endif  // HYDRA_CLIENT_COMMANDS_LOG_TEXT_H_
