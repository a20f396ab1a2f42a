// Where files lie on the storages (the layout of the manual's samples).
#pragma once
#include <string>
#include <vector>

#include "hvagent/ids.h"
#include "hvagent/model/storage.h"

namespace hvagent::operations {

inline constexpr const char* admin_account = "36c27e8ff05c4780bf6d2fa65700f22e";

std::string volume_directory(const PrimaryStorage& storage, const Volume& volume);  // .../vol-<uuid>
std::string volume_path(const PrimaryStorage& storage, const Volume& volume);       // .../vol-<uuid>/<uuid>.qcow2, or .raw
// What the image cache of a storage consists of; each image has a directory of its own in one of them.
std::vector<std::string> cache_directories(const PrimaryStorage& storage);
std::string cached_image_path(const PrimaryStorage& storage, const Image& image);
std::string stored_image_path(const BackupStorage& storage, const Image& image);

}  // namespace hvagent::operations
