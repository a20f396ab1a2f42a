#include "agent/state/certificate_watch.h"

#include <climits>

#include "hvagent/certificate.h"
#include "hvagent/error.h"

namespace hvagent::state {
namespace {

constexpr std::chrono::hours between_looks{1};

// The last line that was crossed when so much is left; 0: the end.
int line_crossed(milliseconds left) {
    if (left <= milliseconds(0)) return 0;
    for (const int days : {1, 3, 7, 14, 30})
        if (left <= std::chrono::hours(24 * days)) return days;
    return INT_MAX;
}

}  // namespace

CertificateWatch::CertificateWatch(Timer& timer, const Clock& clock, std::vector<File> files, Tell tell)
    : timer_(timer), clock_(clock), files_(std::move(files)), tell_(std::move(tell)) {}

void CertificateWatch::start() {
    if (files_.empty()) return;
    timer_.at(clock_.moment(), [this] { look(); });
}

void CertificateWatch::look() {
    for (const File& file : files_) look_at(file);
    timer_.at(clock_.moment() + between_looks, [this] { look(); });
}

void CertificateWatch::look_at(const File& file) {
    Told& told = told_.try_emplace(file.path, Told{Time{}, INT_MAX, false}).first->second;
    Time end;
    try {
        end = certificate_end(file.path);
    } catch (const Error& error) {
        if (!told.unreadable) tell_("CertificateUnreadable", file.name + ": " + error.details());
        told.unreadable = true;
        return;
    }
    if (end != told.end || told.unreadable) told = {end, INT_MAX, false};
    const auto left = std::chrono::duration_cast<milliseconds>(end - clock_.now());
    const int line = line_crossed(left);
    if (line >= told.line) return;
    told.line = line;
    const auto days = std::chrono::duration_cast<std::chrono::hours>(left).count() / 24;
    if (line == 0)
        tell_("CertificateExpired", file.name + " " + file.path);
    else
        tell_("CertificateExpires", file.name + " " + file.path + ": " + std::to_string(days) + " days left");
}

}  // namespace hvagent::state
