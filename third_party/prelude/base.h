// Read by the compiler before each unit of this tree: see cc.bzl. Libraries'
// headers alone, of those that many units include.
#ifndef HYDRA_THIRD_PARTY_PRELUDE_BASE_H_
#define HYDRA_THIRD_PARTY_PRELUDE_BASE_H_

#include <algorithm>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/container/btree_set.h"
#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "glog/logging.h"
#include "google/protobuf/generated_message_reflection.h"
#include "google/protobuf/generated_message_util.h"
#include "google/protobuf/map.h"
#include "google/protobuf/map_entry.h"
#include "google/protobuf/message.h"
#include "google/protobuf/repeated_field.h"

#endif  // HYDRA_THIRD_PARTY_PRELUDE_BASE_H_
