// One file fetched from a URL: begun, taken up when the connection breaks, or given up.
#pragma once
#include <functional>
#include <string>

#include "drivers/http_client/http_settings.h"
#include "drivers/http_client/partial_file.h"
#include "drivers/http_client/transfer.h"
#include "drivers/http_client/url.h"
#include "hvagent/cancel.h"
#include "hvagent/units.h"

namespace hvagent {

class Download {
public:
    using Progress = Transfer::Progress;

    Download(const HttpSettings& settings, const std::string& url, const std::string& path, Bytes limit,
             const Progress& progress, Cancellation& cancel);
    // Once. On an error nothing is left, except what the next life of the daemon goes on from.
    void run();

private:
    void copy_local_file(PartialFile& file);
    void fetch(PartialFile& file);
    // Error(http_failed) when it is no use to try again.
    void wait_after(const Transfer& broken, PartialFile& file);

    const HttpSettings& settings_;
    const std::string& text_;
    const Url url_;
    const std::string& path_;
    const Bytes limit_;
    const Progress& progress_;
    Cancellation& cancel_;
    Bytes furthest_ = 0;
    int attempts_ = 0;
    int fruitless_ = 0;  // in a row
};

}  // namespace hvagent
