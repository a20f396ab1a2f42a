// file:// URLs: which local files may become images.
#pragma once
#include <string>
#include <vector>

#include "drivers/files/file_handle.h"
#include "drivers/http_client/url.h"

namespace hvagent {

// Opens the regular file a file:// URL names. The patterns say what is forbidden, after symbolic links are followed:
// "/etc/**" is all below /etc, others match one path with shell wildcards. Error(http_failed).
FileHandle open_local_file(const Url& url, const std::vector<std::string>& blocked_paths);

}  // namespace hvagent
