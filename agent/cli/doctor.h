// `hvctl doctor`: what is wrong with this host that can be seen without the agent.
#pragma once
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "agent/config/settings.h"

namespace hvagent::cli {

using nlohmann::json;

// A list of {"severity": "error"|"warning"|"note", "kind", "details", "path"?}, like that of the agent's /hvagent/v1/doctor.
class Findings {
public:
    void add(const std::string& severity, const std::string& kind, const std::string& details, const std::string& path = "");
    // Those of the agent; what both saw is kept once.
    void add_all(const json& findings);
    // Something is wrong: more than notes.
    bool is_wrong() const;
    const json& list() const { return list_; }

private:
    json list_ = json::array();
};

// Reads the configuration; defaults, and a finding, when it is wrong.
config::Settings examine_settings(const std::string& path, Findings& findings);
void examine_directory(const std::string& name, const std::string& path, int full_percent, Findings& findings);
void examine_certificate(const std::string& name, const std::string& path, Findings& findings);
// Whether the kernel's clock is kept by somebody.
void examine_clock(Findings& findings);
void examine_kvm(const config::Settings& settings, Findings& findings);
// Whether somebody listens at libvirt's socket below `run_directory` ("/run").
void examine_libvirt(const config::Settings& settings, const std::string& run_directory, Findings& findings);
// The agent does not answer: is its port free, or somebody else's?
void examine_port(const std::string& listen, Findings& findings);

// All of the above but the port.
void examine_host(const config::Settings& settings, Findings& findings);

}  // namespace hvagent::cli
