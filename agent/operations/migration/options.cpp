#include "agent/operations/migration/options.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "agent/operations/migration/convergence.h"
#include "hvagent/error.h"

namespace hvagent::operations {
namespace {

constexpr std::string_view tag_prefix = "migration::";

std::optional<std::int64_t> number_in(std::string_view text, std::int64_t lowest, std::int64_t highest) {
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || end != text.data() + text.size() || number < lowest || number > highest) return std::nullopt;
    return number;
}

std::optional<bool> boolean_in(std::string_view text) {
    if (text == "true") return true;
    if (text == "false") return false;
    return std::nullopt;
}

std::optional<WhenStuck> way_out_in(std::string_view text) {
    if (text == "abort") return WhenStuck::abort;
    if (text == "pause") return WhenStuck::pause;
    if (text == "post_copy") return WhenStuck::post_copy;
    return std::nullopt;
}

template <class Value, class Member>
bool put(const std::optional<Value>& value, Member& member) {
    if (value) member = Member(*value);
    return value.has_value();
}

struct OptionTag {
    std::string_view name;
    const char* form;
    // False when the value does not fit.
    bool (*set)(std::string_view value, MigrationOptions& options);
};

constexpr std::array option_tags{
    OptionTag{"bandwidth", "<bytes per second, 1048576 or more; 0: no limit>",
              [](std::string_view v, MigrationOptions& o) {
                  return v == "0" ? put(std::optional(0), o.bandwidth)
                                  : put(number_in(v, MiB, std::int64_t{1} << 50), o.bandwidth);
              }},
    OptionTag{"max_downtime", "<10 to 60000 milliseconds>",
              [](std::string_view v, MigrationOptions& o) { return put(number_in(v, 10, 60000), o.max_downtime); }},
    OptionTag{"auto_converge", "true|false",
              [](std::string_view v, MigrationOptions& o) { return put(boolean_in(v), o.auto_converge); }},
    OptionTag{"when_stuck", "abort|pause|post_copy",
              [](std::string_view v, MigrationOptions& o) { return put(way_out_in(v), o.when_stuck); }},
    OptionTag{"max_pause", "<0 to 3600 seconds>",
              [](std::string_view v, MigrationOptions& o) { return put(number_in(v, 0, 3600), o.max_pause); }},
    OptionTag{"timeout_per_gib", "<1 to 86400 seconds>",
              [](std::string_view v, MigrationOptions& o) { return put(number_in(v, 1, 86400), o.timeout_per_gib); }},
    OptionTag{"parallel_connections", "<0 to 16>",
              [](std::string_view v, MigrationOptions& o) { return put(number_in(v, 0, 16), o.parallel_connections); }},
    OptionTag{"compressed", "true|false",
              [](std::string_view v, MigrationOptions& o) { return put(boolean_in(v), o.compressed); }},
};

// False for what is no migration tag, or a wrong one.
bool take(const std::string& tag, MigrationOptions& options) {
    if (!tag.starts_with(tag_prefix)) return false;
    const std::string_view rest = std::string_view(tag).substr(tag_prefix.size());
    const std::size_t at = rest.find("::");
    if (at == std::string_view::npos) return false;
    for (const OptionTag& one : option_tags)
        if (one.name == rest.substr(0, at)) return one.set(rest.substr(at + 2), options);
    return false;
}

std::string subject_of(const std::string& tag) {
    return tag.substr(0, tag.find("::", tag_prefix.size()));
}

void take_request_tags(const std::vector<std::string>& tags, MigrationOptions& options) {
    for (const std::string& tag : tags) {
        if (!take(tag, options))
            throw Error(Code::invalid_argument,
                        "no system tag of a migration matches '" + tag + "'; known are " + migration_tag_forms());
        const auto same = [&](const std::string& other) { return subject_of(other) == subject_of(tag); };
        if (std::count_if(tags.begin(), tags.end(), same) > 1)
            throw Error(Code::duplicate_tag, "system tag '" + subject_of(tag) + "' stands twice");
    }
}

// QEMU has either or.
void require_harmony(const MigrationOptions& options) {
    if (options.parallel_connections == 0) return;
    const char* other = options.compressed                           ? "compression"
                        : options.when_stuck == WhenStuck::post_copy ? "post-copy"
                                                                     : nullptr;
    if (other)
        throw Error(Code::invalid_argument,
                    std::string("parallel connections of a migration and ") + other + " exclude each other");
}

}  // namespace

MigrationOptions migration_options(const config::Settings& settings, const std::vector<std::string>& vm_tags,
                                   const std::vector<std::string>& request_tags, const MigrationWishes& wishes) {
    MigrationOptions options;
    options.bandwidth = settings.migration_bandwidth;
    options.max_downtime = milliseconds(settings.migration_max_downtime);
    options.auto_converge = settings.migration_auto_converge;
    put(way_out_in(settings.migration_when_stuck), options.when_stuck);
    options.max_pause = settings.migration_max_pause;
    options.timeout_per_gib = settings.migration_timeout_per_gib;
    options.parallel_connections = settings.migration_parallel_connections;
    options.compressed = settings.migration_compressed;
    options.tls = settings.migration_tls;
    for (const std::string& tag : vm_tags) take(tag, options);
    take_request_tags(request_tags, options);
    if (wishes.auto_converge) options.auto_converge = true;
    if (wishes.down_time) {
        if (*wishes.down_time < milliseconds(10) || *wishes.down_time > seconds(60))
            throw Error(Code::invalid_argument, "parameter 'downTime' must be 10 to 60000 milliseconds");
        options.max_downtime = *wishes.down_time;
    }
    require_harmony(options);
    return options;
}

bool is_migration_tag(const std::string& tag) {
    MigrationOptions ignored;
    return take(tag, ignored);
}

std::string migration_tag_forms() {
    std::string forms;
    for (const OptionTag& one : option_tags)
        forms += (forms.empty() ? "" : ", ") + std::string(tag_prefix) + std::string(one.name) + "::" + one.form;
    return forms;
}

std::string libvirt_uri(const MigrationOptions& options, const std::string& address) {
    const bool bare_ipv6 = address.find(':') != std::string::npos && address.front() != '[';
    return std::string(options.tls ? "qemu+tls://" : "qemu+tcp://") + (bare_ipv6 ? "[" + address + "]" : address) +
           "/system";
}

void apply(const MigrationOptions& options, MigrationWay& way) {
    way.bandwidth = options.bandwidth;
    way.max_downtime = first_downtime(options.max_downtime);
    way.auto_converge = options.auto_converge;
    way.post_copy = options.when_stuck == WhenStuck::post_copy;
    way.parallel_connections = options.parallel_connections;
    way.compressed = options.compressed;
    way.tls = options.tls;
}

}  // namespace hvagent::operations
