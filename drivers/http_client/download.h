// One file fetched from a URL.
#pragma once
#include <array>
#include <functional>
#include <string>

#include "drivers/files/file_handle.h"
#include "drivers/http_client/curl_handle.h"
#include "drivers/http_client/http_settings.h"
#include "drivers/http_client/url.h"
#include "hvagent/cancel.h"
#include "hvagent/units.h"

namespace hvagent {

class Download {
public:
    using Progress = std::function<void(Bytes done, Bytes total)>;

    Download(const HttpSettings& settings, const std::string& url, const std::string& path, Bytes limit,
             const Progress& progress, Cancellation& cancel);
    // Once. On an error the file is removed.
    void run();

private:
    void fetch();
    void copy_local_file();
    void configure(CURL* handle);
    CURLcode transfer(CURL* handle);
    void check(CURLcode result, CURL* handle);
    bool store(const char* data, std::size_t size);
    bool report(Bytes done, Bytes total);

    static std::size_t on_data(char* data, std::size_t, std::size_t size, void* context);
    static int on_progress(void* context, curl_off_t total, curl_off_t done, curl_off_t, curl_off_t);

    const HttpSettings& settings_;
    const std::string& text_;
    const Url url_;
    const std::string& path_;
    const Bytes limit_;
    const Progress& progress_;
    Cancellation& cancel_;
    FileHandle file_;
    Bytes stored_ = 0;
    Bytes writing_out_from_ = 0;
    int write_error_ = 0;
    bool too_large_ = false;
    std::exception_ptr progress_failure_;  // must not fly through C
    std::array<char, CURL_ERROR_SIZE> details_{};
};

}  // namespace hvagent
