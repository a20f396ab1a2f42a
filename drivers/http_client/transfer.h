// One attempt to bring a file, from where it broke off, over one connection.
#pragma once
#include <array>
#include <exception>
#include <functional>
#include <string>

#include "drivers/http_client/curl_handle.h"
#include "drivers/http_client/http_settings.h"
#include "drivers/http_client/partial_file.h"
#include "drivers/http_client/url.h"
#include "hvagent/cancel.h"
#include "hvagent/units.h"

namespace hvagent {

class Transfer {
public:
    using Progress = std::function<void(Bytes done, Bytes total)>;
    enum class Outcome {
        whole,
        broken,  // may go better another time
        changed  // the server's file is another one than before, or it does not say: begin afresh
    };

    Transfer(const HttpSettings& settings, const std::string& url, const Url& parsed, PartialFile& file, Bytes limit,
             const Progress& progress, Cancellation& cancel);
    // Once. Throws what another attempt would not mend.
    Outcome run();
    // Why it is broken.
    const std::string& reason() const { return reason_; }

private:
    bool is_http() const { return parsed_.scheme == "http" || parsed_.scheme == "https"; }
    void configure(CURL* handle);
    void ask_for_the_rest(CURL* handle);
    CURLcode perform(CURL* handle);
    Outcome judge(CURLcode result);
    bool is_transient(CURLcode result, long status) const;

    void note_header(std::string_view line);
    RemoteFile seen_remote();
    // Before the first byte is stored: is it the one that follows what we have?
    bool is_continuation();
    bool decide();
    bool store(const char* data, std::size_t size);
    bool report();

    static std::size_t on_header(char* data, std::size_t, std::size_t size, void* context);
    static std::size_t on_data(char* data, std::size_t, std::size_t size, void* context);
    static int on_progress(void* context, curl_off_t total, curl_off_t done, curl_off_t, curl_off_t);

    const HttpSettings& settings_;
    const std::string& text_;
    const Url& parsed_;
    PartialFile& file_;
    const Bytes limit_;
    const Progress& progress_;
    Cancellation& cancel_;
    const Bytes from_;
    EasyHandle handle_;
    HeaderList headers_;
    RemoteFile answered_;     // of HTTP, from the headers
    Bytes range_begin_ = -1;  // of Content-Range
    Bytes range_total_ = 0;
    bool decided_ = false;
    bool changed_ = false;
    bool too_large_ = false;
    int write_error_ = 0;
    std::exception_ptr failure_;  // must not fly through C
    std::string reason_;
    std::array<char, CURL_ERROR_SIZE> details_{};
};

}  // namespace hvagent
