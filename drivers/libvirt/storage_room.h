// QEMU and libvirt do not say why a block job failed; a full storage can be seen.
#pragma once
#include <string>

#include "hvagent/error.h"

namespace hvagent::libvirt {

// Of a job that wrote to this file: Code::storage_allocate when its file system is full, else Code::io_failed.
Code code_of_failed_write(const std::string& path);

}  // namespace hvagent::libvirt
