#include "client/private_daemon/daemon_config.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/jobfile/device_flag.h"
#include "common/jobfile/yaml_tree.h"
#include "nlohmann/json.hpp"

namespace hydra {
namespace {

using Json = nlohmann::ordered_json;

// Scalars stay text: the daemon reads "1" where it wants a number.
Json ToJson(const YamlNode& node) {
  switch (node.kind) {
    case YamlNode::Kind::kNull:
      return nullptr;
    case YamlNode::Kind::kScalar:
      return node.text;
    case YamlNode::Kind::kSequence: {
      Json items = Json::array();
      for (const YamlNode& item : node.items) items.push_back(ToJson(item));
      return items;
    }
    case YamlNode::Kind::kMap: {
      Json map = Json::object();
      for (const YamlEntry& entry : node.entries) {
        map[entry.key] = ToJson(entry.value);
      }
      return map;
    }
  }
  return nullptr;
}

// What a flag said.
Json ToJson(const DeviceFlag& device) {
  Json json = {{"name", device.name}};
  if (device.memory_limit_bytes.has_value()) {
    json["memory_limit_bytes"] = *device.memory_limit_bytes;
  }
  if (device.link_gb_per_second.has_value()) {
    json["link"] = {{"to_device_gb_per_second", *device.link_gb_per_second}};
  }
  return json;
}

absl::Status WantMap(const Json& value, absl::string_view field) {
  if (value.is_null() || value.is_object()) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(field, ": expected a map of keys and values"));
}

void SetDefault(Json* map, const char* key, const Json& value) {
  if (!map->contains(key)) (*map)[key] = value;
}

absl::Status OverridePool(const DaemonOverrides& overrides, Json* config) {
  Json& pool = (*config)["pool"];
  if (absl::Status status = WantMap(pool, "pool"); !status.ok()) return status;
  if (!overrides.pool_path.empty()) pool["path"] = overrides.pool_path;
  if (overrides.pool_bytes.has_value()) {
    pool["size_bytes"] = *overrides.pool_bytes;
  }
  SetDefault(&pool, "path", overrides.default_pool_path);
  SetDefault(&pool, "size_bytes", kDefaultPoolBytes);
  return absl::OkStatus();
}

absl::Status OverrideDevices(const DaemonOverrides& overrides, Json* config) {
  std::vector<std::string> flags = overrides.devices;
  if (flags.empty() && !config->contains("devices")) flags = {"cpu:0", "cpu:1"};
  Json& devices = (*config)["devices"];
  // Said of a device is more than said of all.
  if (overrides.device_memory_bytes.has_value() && flags.empty()) {
    for (Json& device : devices) {
      if (device.is_object()) device.erase("memory_limit_bytes");
    }
  }
  if (!flags.empty()) {
    const auto parsed = ParseDeviceFlags(flags);
    if (!parsed.ok()) {
      return absl::InvalidArgumentError(
          absl::StrCat("--device: ", parsed.status().message()));
    }
    devices = Json::array();
    for (const DeviceFlag& device : *parsed) {
      devices.push_back(ToJson(device));
    }
  }
  for (Json& device : devices) {
    if (absl::Status status = WantMap(device, "devices"); !status.ok()) {
      return status;
    }
    if (overrides.device_memory_bytes.has_value()) {
      SetDefault(&device, "memory_limit_bytes", *overrides.device_memory_bytes);
    }
    if (overrides.threads.has_value()) device["threads"] = *overrides.threads;
    SetDefault(&device, "memory_limit_bytes", kDefaultDeviceBytes);
    SetDefault(&device, "threads", kDefaultThreads);
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::string> MakeDaemonConfig(absl::string_view base,
                                             const DaemonOverrides& overrides) {
  const absl::StatusOr<YamlNode> tree = ParseYaml(base);
  if (!tree.ok()) return tree.status();
  Json config = ToJson(*tree);
  if (absl::Status status = WantMap(config, "the file"); !status.ok()) {
    return status;
  }
  config["unix_socket"] = overrides.unix_socket;
  config["state_dir"] = overrides.state_dir;
  // Who may come to a server, what each may have of it, and as whom it opens
  // their files, is nothing to a daemon of one user.
  for (const char* key : {"http", "tcp_address", "file_broker", "notify", "allow",
                          "operators", "shares", "quotas"}) {
    config.erase(key);
  }
  // Its only user is who started it, and may write there anyway.
  SetDefault(&config, "output_roots", Json::array({"/"}));
  // And run code as this user already.
  SetDefault(&config, "allow_exported_chains", true);
  // Nobody goes on from them: its jobs end with it.
  config["checkpoint_on_stop"] = false;
  // If it is killed, its workers give their memory back soon.
  config["worker_patience_seconds"] = 2;
  if (absl::Status status = OverridePool(overrides, &config); !status.ok()) {
    return status;
  }
  if (absl::Status status = OverrideDevices(overrides, &config); !status.ok()) {
    return status;
  }
  return config.dump(2, ' ', /*ensure_ascii=*/false,
                     Json::error_handler_t::replace) +
         "\n";
}

}  // namespace hydra
