// Directories of a storage: made so that QEMU's user gets through, listed, removed when empty.
#pragma once
#include <string>
#include <vector>

#include "drivers/storage/roots.h"

namespace hvagent {

// QEMU's user, which is neither the owner nor in a group of ours, must reach the images; nobody else may see which
// there are.
inline constexpr unsigned storage_directory_mode = 0711;

// One directory; there already is a success.
void make_directory(const Place& place);
// The directories on the way to a root, and itself.
void make_root(const std::string& root);
// Sorted, without "." and ".."; empty when there is no such directory.
std::vector<std::string> list_directory(const Place& place);
// Not so for a symbolic link to one.
bool is_directory(const Place& place);
// False when it is not empty or not there.
bool remove_empty_directory(const Place& place);

}  // namespace hvagent
